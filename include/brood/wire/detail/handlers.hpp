// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/task.hpp>
#include <brood/wire/detail/take.hpp>

#include <cereal/types/string.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cxxabi.h>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <unordered_map>
#include <utility>

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

/// What crosses when a handler throws. Without a type, there was no handler.
struct failure
{
    std::string type;
    std::string text;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(type, text);
    }
};

inline std::string readable(const std::type_info& type)
{
    int status = 0;
    std::unique_ptr<char, void (*)(void*)> name(
        abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
    return status == 0 ? name.get() : type.name();
}

inline failure describe(const std::exception_ptr& thrown)
{
    try
    {
        std::rethrow_exception(thrown);
    }
    catch (const std::exception& exception)
    {
        return {readable(typeid(exception)), exception.what()};
    }
    catch (...)
    {
        return {"unknown", "an exception that is no std::exception"};
    }
}

template <class Function>
struct signature : signature<decltype(&Function::operator())>
{
};

template <class Result, class Argument>
struct signature<Result (*)(Argument)>
{
    using result = Result;
    using argument = std::remove_cvref_t<Argument>;
};

template <class Result, class Argument>
struct signature<Result (*)(Argument) noexcept> : signature<Result (*)(Argument)>
{
};

template <class Result, class Class, class Argument>
struct signature<Result (Class::*)(Argument)> : signature<Result (*)(Argument)>
{
};

template <class Result, class Class, class Argument>
struct signature<Result (Class::*)(Argument) const> : signature<Result (*)(Argument)>
{
};

template <class Result, class Class, class Argument>
struct signature<Result (Class::*)(Argument) noexcept> : signature<Result (*)(Argument)>
{
};

template <class Result, class Class, class Argument>
struct signature<Result (Class::*)(Argument) const noexcept> : signature<Result (*)(Argument)>
{
};

template <class Result>
struct awaited
{
    using type = Result;
    static constexpr bool coroutine = false;
};

template <class Result>
struct awaited<task<Result>>
{
    using type = Result;
    static constexpr bool coroutine = true;
};

/// The request that a handler takes.
template <class Handler>
using request_of = typename signature<Handler>::argument;

/// The handlers of one serve(), and the requests they are working on.
template <class... Handlers>
class serving : public std::enable_shared_from_this<serving<Handlers...>>
{
public:
    explicit serving(std::shared_ptr<link> from, Handlers... handlers)
        : link_(std::move(from)), handlers_(std::move(handlers)...), finished_(link_->executor())
    {
    }

    /// Takes requests until the other side has closed, and waits then for the replies under way.
    static task<> serve(std::shared_ptr<serving> self)
    {
        stop_at_exit stop{self};
        auto& from = *self->link_;
        for (;;)
        {
            while (self->running_.size() >= from.limits().max_calls)
                co_await self->finished_.wait();
            from.rethrow_failure();
            if (!from.sending().has_room())
                co_await sender::room(from.shared_sender());
            if (!from.requests().empty())
                self->start();
            else if (!from.ended())
                co_await from.request_or_end();
            else
                break;
        }
        from.rethrow_failure();
        while (!self->running_.empty())
            co_await self->finished_.wait();
        from.rethrow_failure();
    }

private:
    using running_requests =
        std::unordered_map<std::uint64_t, std::unique_ptr<asio::cancellation_signal>>;

    // Handlers still running when serve() is left by cancellation are cancelled as well.
    struct stop_at_exit
    {
        std::shared_ptr<serving> self;

        ~stop_at_exit()
        {
            for (auto& [number, signal] : self->running_)
                signal->emit(asio::cancellation_type::terminal);
        }
    };

    void start()
    {
        auto& oldest = link_->requests().front();
        auto header = oldest.content.header;
        refuse_second(header.correlation);
        try
        {
            if (!oldest.cancelled && start_as<0>(header))
                return;
            if (!link_->pop(link_->requests()).cancelled)
                reply(frame_kind::failure, header.correlation, failure{});
        }
        catch (const std::system_error&)
        {
            link_->rethrow_failure();
            tell(header.correlation, std::current_exception()); // about what came beside it
        }
    }

    // The handlers of two requests with one number could not be told from each other.
    void refuse_second(std::uint64_t number)
    {
        if (!link_->is_handled(number))
            return;
        link_->fail(error(errc::malformed,
                          "two requests at once with the number " + std::to_string(number)));
        link_->rethrow_failure();
    }

    template <std::size_t Index>
    bool start_as(const frame_header& header)
    {
        if constexpr (Index == sizeof...(Handlers))
        {
            return false;
        }
        else
        {
            using request = request_of<std::tuple_element_t<Index, std::tuple<Handlers...>>>;
            if (header.fingerprint != wanted<request>::fingerprint())
                return start_as<Index + 1>(header);
            spawn<Index>(header.correlation, take<request>(*link_, link_->requests()));
            return true;
        }
    }

    template <std::size_t Index, class Request>
    void spawn(std::uint64_t number, Request request)
    {
        auto& signal =
            *running_.emplace(number, std::make_unique<asio::cancellation_signal>()).first->second;
        link_->handling(number, signal);
        auto work = handle<Index, Request>(this->shared_from_this(), number, std::move(request));
        auto done = [self = this->shared_from_this(), number](std::exception_ptr thrown)
        {
            self->finish(number, thrown);
        };
        asio::co_spawn(link_->executor(), std::move(work),
                       asio::bind_cancellation_slot(signal.slot(), std::move(done)));
    }

    template <std::size_t Index, class Request>
    static task<> handle(std::shared_ptr<serving> self, std::uint64_t number, Request request)
    {
        auto& handler = std::get<Index>(self->handlers_);
        using answer = awaited<
            typename signature<std::tuple_element_t<Index, std::tuple<Handlers...>>>::result>;
        if constexpr (answer::coroutine && std::is_void_v<typename answer::type>)
        {
            co_await handler(std::move(request));
            self->reply(frame_kind::reply, number, nothing{});
        }
        else if constexpr (answer::coroutine)
        {
            auto result = co_await handler(std::move(request));
            self->reply(frame_kind::reply, number, result);
        }
        else if constexpr (std::is_void_v<typename answer::type>)
        {
            handler(std::move(request));
            self->reply(frame_kind::reply, number, nothing{});
        }
        else
        {
            self->reply(frame_kind::reply, number, handler(std::move(request)));
        }
    }

    void finish(std::uint64_t number, const std::exception_ptr& thrown)
    {
        link_->handled(number);
        running_.erase(number);
        finished_.post_all();
        if (thrown)
            tell(number, thrown);
    }

    // Nobody is there to take what this would throw: the text is cut to what a message may hold.
    void tell(std::uint64_t number, const std::exception_ptr& thrown)
    {
        auto what = describe(thrown);
        auto most = link_->limits().max_message / 4;
        what.type.resize(std::min(what.type.size(), most));
        what.text.resize(std::min(what.text.size(), most));
        reply(frame_kind::failure, number, what);
    }

    template <class Reply>
    void reply(frame_kind kind, std::uint64_t number, const Reply& value)
    {
        if (!link_->sending().open())
            return; // nobody is there to read it
        check_message<Reply>();
        frame_header header{0, kind, 0, 0, message_fingerprint<Reply>(), number};
        try
        {
            link_->sending().send(header, message_name<Reply>(),
                                  [&](buffer& to) { encode(to, value); }, {});
        }
        catch (const error& refused)
        {
            if (refused.code() != errc::overflow)
                throw;
            link_->fail(error(errc::overflow, "it does not read the replies to its requests"));
        }
    }

    std::shared_ptr<link> link_;
    std::tuple<Handlers...> handlers_;
    running_requests running_;
    wait_queue finished_;
};

} // namespace brood::detail
