// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/task.hpp>
#include <brood/http/detail/alarm.hpp>
#include <brood/http/detail/byte_stream.hpp>
#include <brood/http/detail/connection_pool.hpp>
#include <brood/http/detail/exchange_failure.hpp>
#include <brood/http/detail/interim_responses.hpp>
#include <brood/http/detail/message_reader.hpp>
#include <brood/http/detail/request_context.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace brood::http::detail
{

/// One request and its response on a connection, seen from the client.
///
/// One coroutine may write while another reads. Once anything has failed, or was cancelled, the
/// connection is closed, and whatever comes after fails as well.
class client_exchange : public std::enable_shared_from_this<client_exchange>
{
public:
    using clock = byte_stream::clock;

    /// `kept`: the connection has served requests before.
    client_exchange(std::shared_ptr<const request_context> of,
                    std::shared_ptr<connection_pool> pool, socket_type connection, bool kept)
        : context_(std::move(of)), pool_(std::move(pool)), stream_(std::move(connection)),
          kept_(kept)
    {
        begin_head();
    }

    ~client_exchange()
    {
        try
        {
            give_back();
        }
        catch (const std::exception&)
        {
            // There is no memory to keep it: it is closed.
        }
    }

    const request_context& asked() const noexcept { return *context_; }

    const message_reader<false>& reader() const noexcept { return reader_; }

    /// The fields of all responses with status 103.
    const fields& early_hints() const noexcept { return interim_.early_hints(); }

    /// Whether the connection was kept and nothing came: when it is closed, another may do better.
    bool is_doubtful() const noexcept { return kept_ && !answered(); }

    /// The body of the request, when it comes in pieces.
    outgoing_body& body() noexcept { return body_; }

    /// The request has been sent to its end.
    void sent() noexcept { sending_ = sending::done; }

    /// Sends these texts, one behind the other; false when the server has answered or closed
    /// instead of reading on, and the rest will not be sent.
    static task<bool> write(std::shared_ptr<client_exchange> self, std::string_view first,
                            std::string_view second = {}, std::string_view third = {})
    {
        std::array<std::string_view, 3> rest = {first, second, third};
        std::exception_ptr failed;
        try
        {
            self->must_be_sound();
            while (self->sending_ != sending::refused)
            {
                if (self->write_some(rest))
                    co_return true;
                if (self->sending_ != sending::refused)
                    co_await make_room(self);
            }
            co_return false;
        }
        catch (...)
        {
            failed = std::current_exception();
        }
        auto state = co_await asio::this_coro::cancellation_state;
        self->fail(failed, state);
    }

    /// Reads the head of the response, and what comes before it.
    static task<> read_head(std::shared_ptr<client_exchange> self)
    {
        std::exception_ptr failed;
        try
        {
            self->must_be_sound();
            scoped_flag reading(self->reading_);
            while (!self->has_head())
                co_await read_more(self);
            if (self->reader_.done())
                self->give_back();
            co_return;
        }
        catch (...)
        {
            failed = std::current_exception();
        }
        auto state = co_await asio::this_coro::cancellation_state;
        self->fail(failed, state);
    }

    /// The next piece of the body, a view until the next call; nothing behind the last.
    static task<std::optional<std::string_view>> next(std::shared_ptr<client_exchange> self)
    {
        std::exception_ptr failed;
        try
        {
            self->must_be_sound();
            scoped_flag reading(self->reading_);
            auto executor = co_await asio::this_coro::executor;
            auto until = self->context_->until(clock::now(), self->context_->options.idle_timeout);
            alarm limit(executor, until, expire(self));
            auto piece = co_await self->reader_.next();
            auto state = co_await asio::this_coro::cancellation_state;
            throw_when_cancelled(state);
            self->must_be_sound();
            if (!piece)
                self->give_back();
            co_return piece;
        }
        catch (...)
        {
            failed = std::current_exception();
        }
        auto state = co_await asio::this_coro::cancellation_state;
        self->fail(failed, state);
    }

private:
    // How far the request has come.
    enum class sending
    {
        under_way,
        refused, // the server takes no more of it
        done,
    };

    // How far the response has come.
    enum class answer
    {
        awaited,
        begun, // something has come
        head,  // the head of the final response, behind those of interim ones
    };

    bool answered() const noexcept { return answer_ != answer::awaited; }

    bool has_answer() const noexcept { return answer_ == answer::head; }

    // True as long as it lives.
    class scoped_flag
    {
    public:
        explicit scoped_flag(bool& of) : of_(of) { of_ = true; }

        ~scoped_flag() { of_ = false; }

        scoped_flag(const scoped_flag&) = delete;
        scoped_flag& operator=(const scoped_flag&) = delete;

    private:
        bool& of_;
    };

    // Wakes whoever waits for room when the server says something; unless somebody reads anyway, or
    // has the answer already: its body is for them.
    class early_answer_watch
    {
    public:
        explicit early_answer_watch(client_exchange& of)
            : of_(of), state_(std::make_shared<state>())
        {
            if (of.reading_ || of.has_answer())
                return;
            of.stream_.socket().async_wait(
                socket_type::wait_read,
                [state = state_, weak = of.weak_from_this()](std::error_code failed)
                {
                    auto alive = weak.lock();
                    if (failed || state->over || !alive || alive->reading_ || alive->has_answer())
                        return;
                    state->heard = true;
                    alive->stream_.cancel();
                });
        }

        // Whoever reads meanwhile must not be disturbed: what waits for the same is then left to
        // end when that does.
        ~early_answer_watch()
        {
            state_->over = true;
            if (!state_->heard && !of_.reading_)
                of_.stream_.cancel();
        }

        early_answer_watch(const early_answer_watch&) = delete;
        early_answer_watch& operator=(const early_answer_watch&) = delete;

        bool heard() const noexcept { return state_->heard; }

    private:
        struct state
        {
            bool heard = false;
            bool over = false;
        };

        client_exchange& of_;
        std::shared_ptr<state> state_;
    };

    // What an alarm does to whoever reads.
    struct expire
    {
        explicit expire(const std::shared_ptr<client_exchange>& of) : reader(of) {}

        void operator()() const
        {
            if (auto alive = reader.lock())
                alive->stream_.expire();
        }

        std::weak_ptr<client_exchange> reader;
    };

    void begin_head()
    {
        reader_.begin(stream_, context_->limits());
        if (context_->to_head())
            reader_.parser().expect_no_body();
    }

    // Whether all has been sent.
    bool write_some(std::span<std::string_view> rest)
    {
        auto before = stream_.sent();
        try
        {
            auto all = stream_.write_some(rest);
            if (stream_.sent() != before)
                moved_ = clock::now();
            return all;
        }
        catch (const std::system_error& failed)
        {
            if (!is_gone(failed.code()))
                throw;
            sending_ = sending::refused; // the answer may have come all the same
            return false;
        }
    }

    static task<> make_room(std::shared_ptr<client_exchange> self)
    {
        auto executor = co_await asio::this_coro::executor;
        auto time = self->context_->options.idle_timeout;
        auto wake = [weak = self->weak_from_this()]
        {
            if (auto alive = weak.lock())
                alive->stream_.cancel();
        };
        early_answer_watch watching(*self);
        alarm limit(executor, self->context_->until(self->moved_, time), wake);
        auto room =
            self->stream_.socket().async_wait(socket_type::wait_write, brood::detail::use_tuple);
        co_await std::move(room);
        auto state = co_await asio::this_coro::cancellation_state;
        throw_when_cancelled(state);
        self->must_be_sound();
        if (watching.heard())
        {
            if (self->hear())
                self->sending_ = sending::refused;
        }
        else if (limit.rang())
            throw self->context_->late("sending the request", time);
    }

    // Takes what the server says while we send; true when that is its answer, or the end.
    bool hear()
    {
        auto into = stream_.input().prepare(4'096);
        auto count =
            retry([&] { return ::recv(stream_.number(), into.data(), into.size(), MSG_DONTWAIT); });
        if (count == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return false;
        if (count > 0)
            stream_.input().commit(static_cast<std::size_t>(count));
        return count <= 0 || has_head();
    }

    clock::time_point head_limit() const
    {
        return context_->until(moved_, context_->options.response_timeout);
    }

    static task<> read_more(std::shared_ptr<client_exchange> self)
    {
        auto executor = co_await asio::this_coro::executor;
        alarm limit(executor, self->head_limit(), expire(self));
        auto read = co_await self->stream_.read(4'096);
        auto state = co_await asio::this_coro::cancellation_state;
        throw_when_cancelled(state);
        self->must_be_sound();
        // More of the request may have been sent since the clock was set.
        if (read == byte_stream::reading::later && self->head_limit() <= clock::now())
            throw self->context_->late("waiting for the response",
                                       self->context_->options.response_timeout);
        if (read == byte_stream::reading::end && self->stream_.at_end())
            throw closed(*self->context_, self->end());
    }

    // Takes the head from what has come, if it is there, and those of interim responses before it.
    bool has_head()
    {
        while (!has_answer() && !stream_.text().empty())
        {
            answer_ = answer::begun;
            if (!reader_.read_head())
                break;
            if (interim_.end_with(reader_.head(), *context_))
                answer_ = answer::head;
            else
                begin_head();
        }
        return has_answer();
    }

    connection_end end() const noexcept { return {kept_, answered(), stream_.at_end()}; }

    void must_be_sound() const
    {
        if (failure_)
            std::rethrow_exception(failure_);
    }

    [[noreturn]] void fail(const std::exception_ptr& why, const asio::cancellation_state& state)
    {
        auto cancelled = state.cancelled() != asio::cancellation_type::none;
        if (!failure_)
        {
            auto given_up = context_->failure(errc::closed, "was cancelled before it was complete");
            failure_ =
                cancelled ? std::make_exception_ptr(given_up) : explain(*context_, why, end());
            stream_.close();
        }
        throw_when_cancelled(state);
        std::rethrow_exception(failure_);
    }

    // The connection is ready for the next request, or is closed.
    void give_back()
    {
        if (!pool_ || failure_ || sending_ != sending::done || !has_answer() || !reader_.done())
            return;
        auto pool = std::move(pool_);
        reader_.let_go();
        std::error_code failed;
        auto reusable =
            reader_.parser().keep_alive() && stream_.text().empty() && !context_->wants_close();
        descriptor connection(reusable ? stream_.socket().release(failed) : -1);
        stream_.close();
        if (reusable && !failed)
        {
            auto time = time_to_keep(reader_.head().headers, context_->options.keep_alive_timeout);
            pool->put(context_->key(), std::move(connection), time);
        }
    }

    std::shared_ptr<const request_context> context_;
    std::shared_ptr<connection_pool>
        pool_; // until it has been decided what becomes of the connection
    byte_stream stream_;
    message_reader<false> reader_;
    interim_responses interim_;
    std::exception_ptr failure_;             // once it is of no use any more
    clock::time_point moved_ = clock::now(); // when something was sent last
    const bool kept_;
    outgoing_body body_{"body"};
    sending sending_ = sending::under_way;
    answer answer_ = answer::awaited;
    bool reading_ = false; // somebody waits for something to read
};

} // namespace brood::http::detail
