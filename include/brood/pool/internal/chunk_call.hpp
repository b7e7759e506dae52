// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/internal/call_message.hpp>
#include <brood/pool/internal/chunk.hpp>
#include <brood/pool/internal/pool_call.hpp>
#include <brood/pool/internal/pool_function.hpp>
#include <brood/pool/internal/run_chunk.hpp>
#include <brood/pool/internal/served_call.hpp>
#include <brood/pool/internal/summary.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

// A chunk of a map, as a call of its pool.

namespace brood::detail
{

using chunk_call_request = call_request<std::tuple<chunk_request>>;
using chunk_call_reply = call_reply<chunk_reply>;

/// Whether a function can be mapped over a range: all that it takes and gives crosses as bytes.
template <class Told>
class mappable
{
    template <class... Types>
    static constexpr bool are_written(std::tuple<Types...>*)
    {
        return (std::is_same_v<written_part<Types>, Types> && ...);
    }

    template <class Result>
    static constexpr bool is_written()
    {
        if constexpr (std::is_void_v<Result>)
            return true;
        else
            return std::is_same_v<typename crossing<Result>::written, Result>;
    }

public:
    static constexpr bool value = are_written(static_cast<typename Told::arguments*>(nullptr)) &&
                                  is_written<typename Told::result>();
};

/// A chunk on its way to a worker and back.
class chunk_call final : public pool_call
{
public:
    /// What an item is, for people.
    using summary_function = std::string (*)(std::span<const std::byte> item);

    chunk_call(const chunk_request& chunk, summary_function describe) : summary_(describe)
    {
        std::get<0>(request_.arguments) = chunk;
    }

    void send(link& to, const call_head& head) override
    {
        frame_writer frame(to, frame_kind::message, label_of<chunk_call_request>());
        request_.head = head;
        frame.write(request_);
        frame.send();
    }

    std::string summary() const override
    {
        auto& chunk = std::get<0>(request_.arguments);
        if (chunk.count == 1)
            return summary_(chunk_reader(chunk.items).next());
        return "items " + std::to_string(chunk.first) + " to " +
               std::to_string(chunk.first + chunk.count - 1);
    }

    bool is_chunk() const noexcept override { return true; }

    chunk_reply give() { return std::move(reply_); }

    static void take_reply(link& from, const waiting_frame& oldest, const calls_by_tail& calls)
    {
        auto came = decode_from<chunk_call_reply>(from, oldest.payload, true);
        take_oldest(from, lane_name::messages);
        auto call = static_cast<chunk_call*>(calls(came.tail));
        if (call == nullptr)
            return;
        call->reply_ = std::move(came.value);
        call->reply_.peer = peer_of(from);
    }

private:
    chunk_call_request request_;
    summary_function summary_;
    chunk_reply reply_;
};

/// A chunk, as a worker of a pool of this function sees it.
template <auto Function>
class chunk_service final : public served_call
{
    using told = pool_signature<std::remove_cvref_t<decltype(Function)>>;
    using state = typename told::state;

public:
    chunk_service(chunk_call_request taken, state& with)
        : request_(std::move(taken)), function_{&with}
    {
    }

    const call_head& head() const noexcept override { return request_.head; }

    bool answer(link& to) override
    {
        if constexpr (!told::is_coroutine)
            reply_ = compute_chunk<typename told::arguments>(function_, items());
        return send(to, chunk_call_reply{tail(), std::move(reply_)});
    }

    task<> run() override
    {
        if constexpr (told::is_coroutine)
            reply_ = co_await run_chunk<typename told::arguments>(function_, std::move(items()));
        co_return;
    }

    /// How a worker with this state takes chunks.
    static call_service make(state& with)
    {
        auto decode = [&with](std::span<const std::byte> bytes) -> std::unique_ptr<served_call>
        {
            return std::make_unique<chunk_service>(read_request<chunk_call_request>(bytes), with);
        };
        return {message_fingerprint<chunk_call_request>(), told::is_coroutine, std::move(decode)};
    }

private:
    struct bound_function
    {
        state* with;

        template <class... Values>
        decltype(auto) operator()(Values&&... values)
        {
            if constexpr (told::has_state)
                return (with->*Function)(std::forward<Values>(values)...);
            else
                return Function(std::forward<Values>(values)...);
        }
    };

    chunk_request& items() { return std::get<0>(request_.arguments); }

    chunk_call_request request_;
    bound_function function_;
    chunk_reply reply_;
};

} // namespace brood::detail
