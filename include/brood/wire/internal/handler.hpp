// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/signature.hpp>
#include <brood/base/task.hpp>
#include <brood/wire/internal/frame_writer.hpp>
#include <brood/wire/internal/take.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The reply of a handler that returns nothing.
struct nothing
{
    template <class Archive>
    void serialize(Archive&)
    {
    }
};

template <class Parameters>
struct only_parameter
{
    static constexpr bool one = false;
    using type = nothing;
};

template <class Parameter>
struct only_parameter<type_list<Parameter>>
{
    static constexpr bool one = true;
    using type = Parameter;
};

/// The request that a handler takes, when it is a handler.
template <class Handler>
class request_of
{
    using told = signature<Handler>;
    using parameter = only_parameter<typename told::parameters>;
    using taken = typename parameter::type;

    static_assert(told::known,
                  "brood: a handler of calls is one function or lambda and names the type of its "
                  "request: overloads and auto do not say which requests it answers");
    static_assert(!told::known || parameter::one,
                  "brood: a handler of calls takes its request and nothing else: what more it "
                  "needs, the process& say, a lambda captures");
    static_assert(!std::is_lvalue_reference_v<taken> ||
                      std::is_const_v<std::remove_reference_t<taken>>,
                  "brood: a handler of calls takes its request by value or const&: what more it "
                  "needs, the process& say, a lambda captures");

public:
    using type = std::remove_cvref_t<taken>;
};

/// One serve(), and the requests that its handlers are working on.
class serving;

/// How a request of one type is answered.
struct request_handler
{
    std::uint64_t request; ///< The fingerprint of its type.

    /// Takes the oldest request out of its lane and gives the work that answers it, which has not
    /// begun; no work when it has been answered already. Throws what is wrong with the request.
    std::function<task<>(std::shared_ptr<serving>, const waiting_frame&)> begin;
};

/// Takes requests until the other side has closed, and waits then for the replies under way.
task<> serve(std::shared_ptr<link> from, std::vector<request_handler> handlers);

link& link_of(const serving& by);

/// Whether anybody is there to read a reply. Who reads none of them ends the link.
bool may_reply(serving& by);

/// Answers with an exception, if anybody is there to read it.
void reply_failure(serving& by, std::uint64_t number, const std::exception_ptr& thrown);

template <class Reply>
void reply(serving& by, std::uint64_t number, const Reply& value)
{
    check_message<Reply>();
    if (!may_reply(by))
        return;
    frame_writer frame(link_of(by), frame_kind::reply, label_of<Reply>(), number);
    frame.write(value);
    frame.send();
}

template <class Handler, class Request>
task<> answer(std::shared_ptr<Handler> handler, std::shared_ptr<serving> by, std::uint64_t number,
              Request request)
{
    if constexpr (std::is_void_v<typename awaited<typename signature<Handler>::result>::type>)
    {
        co_await (*handler)(std::move(request));
        reply(*by, number, nothing{});
    }
    else
    {
        auto value = co_await (*handler)(std::move(request));
        reply(*by, number, value);
    }
}

/// The same for a function that is no coroutine: it has been called when this returns.
template <class Handler, class Request>
void answer_now(Handler& handler, serving& by, std::uint64_t number, Request request)
{
    try
    {
        if constexpr (std::is_void_v<typename signature<Handler>::result>)
        {
            handler(std::move(request));
            reply(by, number, nothing{});
        }
        else
        {
            reply(by, number, handler(std::move(request)));
        }
    }
    catch (...)
    {
        reply_failure(by, number, std::current_exception());
    }
}

template <class Handler>
request_handler handler_of(Handler&& function)
{
    using kept = std::decay_t<Handler>;
    using request = typename request_of<kept>::type;
    auto handler = std::make_shared<kept>(std::forward<Handler>(function));
    auto begin = [handler](std::shared_ptr<serving> by, const waiting_frame& oldest)
    {
        auto number = oldest.number;
        auto taken = take<request>(link_of(*by), lane_name::requests, oldest);
        if constexpr (awaited<typename signature<kept>::result>::coroutine)
            return answer<kept, request>(handler, std::move(by), number, std::move(taken));
        else
            return answer_now<kept, request>(*handler, *by, number, std::move(taken)), task<>();
    };
    return {message_fingerprint<message_of_t<request>>(), std::move(begin)};
}

} // namespace brood::detail
