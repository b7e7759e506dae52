// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/internal/chunk_call.hpp>
#include <brood/pool/internal/pool_function.hpp>
#include <brood/pool/internal/served_call.hpp>
#include <brood/process/process.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Puts together what crossed as bytes and what came beside it.
template <class Type>
Type argument_of(written_part<Type>& written, companions& beside, std::size_t& next, link& by)
{
    companions one;
    if (is_companion<Type> && next < beside.descriptors.size())
        one.descriptors.push_back(std::move(beside.descriptors[next++]));
    return crossing<Type>::make(std::move(written), one, by);
}

/// A call of one function, as its worker sees it.
template <auto Function>
class function_service final : public served_call
{
    using told = pool_signature<std::remove_cvref_t<decltype(Function)>>;
    using request = typename told::request;
    using arguments = typename told::arguments;
    using result = typename told::result;
    using state = typename told::state;

public:
    function_service(request taken, state& with) : request_(std::move(taken)), with_(with) {}

    const call_head& head() const noexcept override { return request_.head; }

    void receive(companions& beside, link& by) override
    {
        assemble(beside, by, static_cast<arguments*>(nullptr));
    }

    bool tells_begin() const noexcept override
    {
        return tells_begin(static_cast<arguments*>(nullptr));
    }

    bool answer(link& to) override
    {
        if constexpr (told::is_coroutine)
            return send_kept(to);
        else if constexpr (std::is_void_v<result>)
            return invoke(), send(to, call_reply<nothing>{tail(), {}});
        else
            return send_result(to, invoke());
    }

    task<> run() override
    {
        if constexpr (told::is_coroutine && std::is_void_v<result>)
        {
            co_await invoke();
        }
        else if constexpr (told::is_coroutine)
        {
            auto value = co_await invoke();
            kept_.emplace(std::move(value));
        }
        co_return;
    }

    /// How a worker with this state takes such calls.
    static call_service make(state& with)
    {
        auto decode = [&with](std::span<const std::byte> bytes) -> std::unique_ptr<served_call>
        {
            return std::make_unique<function_service>(read_request<request>(bytes), with);
        };
        return {message_fingerprint<request>(), told::is_coroutine, std::move(decode)};
    }

private:
    using kept = std::conditional_t<std::is_void_v<result>, nothing, result>;

    template <class... Types>
    static constexpr bool tells_begin(std::tuple<Types...>*) noexcept
    {
        return (has_another_end<Types> || ...);
    }

    // A braced list is evaluated from left to right.
    template <class... Types>
    void assemble(companions& beside, link& by, std::tuple<Types...>*)
    {
        [[maybe_unused]] std::size_t next = 0;
        auto put = [&](auto&... each)
        {
            arguments_.emplace(arguments{argument_of<Types>(each, beside, next, by)...});
        };
        std::apply(put, request_.arguments);
    }

    decltype(auto) invoke()
    {
        return std::apply(
            [&](auto&... each) -> decltype(auto)
            {
                if constexpr (told::has_state)
                    return (with_.*Function)(std::move(each)...);
                else
                    return Function(std::move(each)...);
            },
            *arguments_);
    }

    bool send_kept(link& to)
    {
        if constexpr (std::is_void_v<result>)
            return send(to, call_reply<nothing>{tail(), {}});
        else
            return send_result(to, std::move(*kept_));
    }

    bool send_result(link& to, kept value)
    {
        auto beside = crossing<kept>::beside(value);
        call_reply<typename told::written> reply{tail(), crossing<kept>::take_written(value)};
        return send(to, reply, std::move(beside));
    }

    request request_;
    state& with_;
    std::optional<arguments> arguments_;
    std::optional<kept> kept_;
};

/// What a worker of a pool runs.
template <auto Function, class... Args>
task<> serve_pool(process& self, Args... args)
{
    using told = pool_signature<std::remove_cvref_t<decltype(Function)>>;
    typename told::state with(std::move(args)...);
    std::vector<call_service> services;
    services.push_back(function_service<Function>::make(with));
    if constexpr (mappable<told>::value)
        services.push_back(chunk_service<Function>::make(with));
    co_await serve_calls(self, std::move(services));
}

} // namespace brood::detail
