// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/deadline.hpp>
#include <brood/base/task.hpp>
#include <brood/cluster/internal/worker_launcher.hpp>
#include <brood/pool/call_options.hpp>
#include <brood/pool/internal/call_message.hpp>
#include <brood/pool/internal/pool_function.hpp>
#include <brood/pool/internal/summary.hpp>
#include <brood/wire/internal/frame_writer.hpp>
#include <brood/wire/internal/take.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace brood::detail
{

class pool_core;

/// Where a call is, and who waits for it: kept by the core of its pool.
struct call_record;

/// A call as its pool knows it, whatever the function.
class pool_call
{
public:
    pool_call();
    pool_call(const pool_call&) = delete;
    pool_call& operator=(const pool_call&) = delete;
    virtual ~pool_call();

    /// Sends the request; throws what channel::send() throws.
    virtual void send(link& to, const call_head& head) = 0;

    /// Its worker has what travels beside it, and it is not sent again: keeps that no longer.
    virtual void let_go() noexcept {}

    /// The arguments, for people.
    virtual std::string summary() const = 0;

    /// Whether it stands for several items of a map, which counts them itself.
    virtual bool is_chunk() const noexcept { return false; }

    call_record& record() const noexcept { return *record_; }

    void keep(std::unique_ptr<call_record> record) noexcept;

private:
    std::unique_ptr<call_record> record_;
};

/// Which call a reply is for.
using calls_by_tail = std::function<pool_call*(const call_tail&)>;

/// What a pool has to know about its function.
struct pool_function
{
    bool is_coroutine = false;
    std::uint64_t reply = 0; ///< The fingerprint of its type.

    /// Takes the oldest message, which is such a reply, and keeps its value in its call.
    void (*take_reply)(link& from, const waiting_frame& oldest, const calls_by_tail& calls);

    worker_launcher launch;
};

/// The result of a call, in the hands of whoever awaits it. Destroyed before it has come, it
/// cancels the call.
class awaited_call
{
public:
    /// Enters the queue if there is room.
    awaited_call(std::shared_ptr<pool_core> in, std::shared_ptr<pool_call> call,
                 const call_options& options);
    awaited_call(awaited_call&&) noexcept = default;
    awaited_call& operator=(awaited_call&&) = delete;
    ~awaited_call();

    /// Whether there was room.
    bool has_entered() const noexcept;

    /// Whether the result is here, or there is none. When there was no room in the queue, it tries
    /// again to enter; throws errc::closed when that is for ever.
    bool has_ended();

    /// Suspends until that may be another answer.
    task<> change();

    /// Throws why there is no result.
    void rethrow_failure() const;

private:
    std::shared_ptr<pool_core> in_;
    std::shared_ptr<pool_call> call_;
};

template <class... Types>
std::vector<descriptor> take_companions(std::tuple<Types...>& arguments)
{
    std::vector<descriptor> result;
    auto take = [&](std::vector<descriptor> beside)
    {
        std::move(beside.begin(), beside.end(), std::back_inserter(result));
    };
    std::apply([&](auto&... each) { (take(crossing<Types>::beside(each)), ...); }, arguments);
    return result;
}

template <class... Types>
std::tuple<written_part<Types>...> take_written(std::tuple<Types...>& arguments)
{
    auto take = [](auto&... each)
    {
        return std::tuple<written_part<Types>...>(crossing<Types>::take_written(each)...);
    };
    return std::apply(take, arguments);
}

/// A call of one function.
template <auto Function>
class function_call final : public pool_call
{
    using told = pool_signature<std::remove_cvref_t<decltype(Function)>>;
    using result = typename told::result;
    using arguments = typename told::arguments;
    using request = typename told::request;
    using reply = typename told::reply;

public:
    explicit function_call(arguments given)
        : beside_(take_companions(given)), request_{{}, take_written(given)}
    {
    }

    void send(link& to, const call_head& head) override
    {
        request_.head = head;
        frame_writer frame(to, frame_kind::message, label_of<request>(), 0, beside_.size());
        frame.write(request_);
        std::vector<descriptor> copies; // it may have to be sent again
        for (auto& each : beside_)
            copies.push_back(each.duplicate());
        frame.send(std::move(copies));
    }

    void let_go() noexcept override { beside_.clear(); }

    std::string summary() const override { return summary_of(request_.arguments); }

    result give()
    {
        if constexpr (!std::is_void_v<result>)
            return std::move(*result_);
    }

    static void take_reply(link& from, const waiting_frame& oldest, const calls_by_tail& calls)
    {
        auto came = decode_from<reply>(from, oldest.payload, true);
        auto beside = take_oldest(from, lane_name::messages);
        auto call = static_cast<function_call*>(calls(came.tail));
        if (call == nullptr)
            return; // nobody waits for it any more
        if (beside.lost)
            throw_lost(from);
        if constexpr (!std::is_void_v<result>)
            call->result_.emplace(crossing<result>::make(std::move(came.value), beside, from));
    }

private:
    using kept = std::conditional_t<std::is_void_v<result>, nothing, result>;

    std::vector<descriptor> beside_;
    request request_;
    std::optional<kept> result_;
};

template <class Result, auto Function>
task<Result> result_of_call(awaited_call awaited, std::shared_ptr<function_call<Function>> call)
{
    while (!awaited.has_ended())
        co_await awaited.change();
    awaited.rethrow_failure();
    co_return call->give();
}

} // namespace brood::detail

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/pool/impl/pool_calls.ipp>
#include <brood/pool/impl/pool_dispatch.ipp>
#include <brood/pool/impl/pool_workers.ipp>
#endif
