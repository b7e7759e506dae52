// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/task.hpp>
#include <brood/http/detail/alarm.hpp>
#include <brood/http/detail/connection_pool.hpp>
#include <brood/http/detail/errand.hpp>
#include <brood/http/detail/exchange_failure.hpp>
#include <brood/http/detail/incoming.hpp>
#include <brood/http/detail/stream.hpp>

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
    using clock = stream::clock;

    /// `kept`: the connection has served requests before.
    client_exchange(std::shared_ptr<const errand> of, std::shared_ptr<connection_pool> pool,
                    socket_type connection, bool kept)
        : errand_(std::move(of)), pool_(std::move(pool)), bytes_(std::move(connection)), kept_(kept)
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

    const errand& asked() const noexcept { return *errand_; }

    const incoming<false>& in() const noexcept { return in_; }

    /// The fields of all responses with status 103.
    const fields& early_hints() const noexcept { return early_hints_; }

    /// Whether the connection was kept and nothing came: when it is closed, another may do better.
    bool is_doubtful() const noexcept { return kept_ && !answered_; }

    /// The request has been sent to its end.
    void sent() noexcept { sent_ = true; }

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
            while (!self->refused_)
            {
                if (self->write_some(rest))
                    co_return true;
                if (!self->refused_)
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
            flag reading(self->reading_);
            while (!self->has_head())
                co_await read_more(self);
            if (self->in_.done())
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
            flag reading(self->reading_);
            auto executor = co_await asio::this_coro::executor;
            auto until = self->errand_->until(clock::now(), self->errand_->options.idle_timeout);
            alarm limit(executor, until, expire(self));
            auto piece = co_await self->in_.next();
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
    // True as long as it lives.
    class flag
    {
    public:
        explicit flag(bool& of) : of_(of) { of_ = true; }

        ~flag() { of_ = false; }

        flag(const flag&) = delete;
        flag& operator=(const flag&) = delete;

    private:
        bool& of_;
    };

    // Wakes whoever waits for room when the server says something; unless somebody reads anyway, or
    // has the answer already: its body is for them.
    class ear
    {
    public:
        explicit ear(client_exchange& of) : of_(of), state_(std::make_shared<state>())
        {
            if (of.reading_ || of.head_came_)
                return;
            of.bytes_.socket().async_wait(
                socket_type::wait_read,
                [state = state_, weak = of.weak_from_this()](std::error_code failed)
                {
                    auto alive = weak.lock();
                    if (failed || state->over || !alive || alive->reading_ || alive->head_came_)
                        return;
                    state->heard = true;
                    alive->bytes_.cancel();
                });
        }

        // Whoever reads meanwhile must not be disturbed: what waits for the same is then left to
        // end when that does.
        ~ear()
        {
            state_->over = true;
            if (!state_->heard && !of_.reading_)
                of_.bytes_.cancel();
        }

        ear(const ear&) = delete;
        ear& operator=(const ear&) = delete;

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
                alive->bytes_.expire();
        }

        std::weak_ptr<client_exchange> reader;
    };

    void begin_head()
    {
        in_.begin(bytes_, errand_->limits());
        if (errand_->to_head())
            in_.parser().expect_no_body();
    }

    // Whether all has been sent.
    bool write_some(std::span<std::string_view> rest)
    {
        auto before = bytes_.sent();
        try
        {
            auto all = bytes_.write_some(rest);
            if (bytes_.sent() != before)
                moved_ = clock::now();
            return all;
        }
        catch (const std::system_error& failed)
        {
            if (!is_gone(failed.code()))
                throw;
            refused_ = true; // the answer may have come all the same
            return false;
        }
    }

    static task<> make_room(std::shared_ptr<client_exchange> self)
    {
        auto executor = co_await asio::this_coro::executor;
        auto time = self->errand_->options.idle_timeout;
        auto wake = [weak = self->weak_from_this()]
        {
            if (auto alive = weak.lock())
                alive->bytes_.cancel();
        };
        ear listening(*self);
        alarm limit(executor, self->errand_->until(self->moved_, time), wake);
        auto room =
            self->bytes_.socket().async_wait(socket_type::wait_write, brood::detail::use_tuple);
        co_await std::move(room);
        auto state = co_await asio::this_coro::cancellation_state;
        throw_when_cancelled(state);
        self->must_be_sound();
        if (listening.heard())
            self->refused_ = self->hear();
        else if (limit.rang())
            throw self->errand_->late("sending the request", time);
    }

    // Takes what the server says while we send; true when that is its answer, or the end.
    bool hear()
    {
        auto into = bytes_.input().prepare(4'096);
        auto count =
            retry([&] { return ::recv(bytes_.number(), into.data(), into.size(), MSG_DONTWAIT); });
        if (count == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return false;
        if (count > 0)
            bytes_.input().commit(static_cast<std::size_t>(count));
        return count <= 0 || has_head();
    }

    clock::time_point head_limit() const
    {
        return errand_->until(moved_, errand_->options.response_timeout);
    }

    static task<> read_more(std::shared_ptr<client_exchange> self)
    {
        auto executor = co_await asio::this_coro::executor;
        alarm limit(executor, self->head_limit(), expire(self));
        auto read = co_await self->bytes_.read(4'096);
        auto state = co_await asio::this_coro::cancellation_state;
        throw_when_cancelled(state);
        self->must_be_sound();
        // More of the request may have been sent since the clock was set.
        if (read == stream::reading::later && self->head_limit() <= clock::now())
            throw self->errand_->late("waiting for the response",
                                      self->errand_->options.response_timeout);
        if (read == stream::reading::end && self->bytes_.at_end())
            throw closed(*self->errand_, self->end());
    }

    // Takes the head from what has come, if it is there, and those of interim responses before it.
    bool has_head()
    {
        while (!head_came_ && !bytes_.text().empty())
        {
            answered_ = true;
            if (!in_.read_head())
                break;
            check_status(in_.head().status);
            head_came_ = in_.head().status >= 200;
            if (in_.head().status == 103)
                for (auto [name, value] : in_.head().headers)
                    early_hints_.add_checked(name, value);
            if (!head_came_)
                begin_head();
        }
        return head_came_;
    }

    void check_status(unsigned status)
    {
        constexpr unsigned most = 100;
        if (status == 101)
            throw errand_->failure(errc::malformed, "the server goes on with another protocol, "
                                                    "which this client cannot");
        if (status < 100)
            throw errand_->failure(errc::malformed, "no status: " + std::to_string(status));
        if (status < 200 && ++interim_ > most)
            throw errand_->failure(errc::malformed, "more and more interim responses");
    }

    connection_end end() const noexcept { return {kept_, answered_, bytes_.at_end()}; }

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
            auto given_up = errand_->failure(errc::closed, "was cancelled before it was complete");
            failure_ =
                cancelled ? std::make_exception_ptr(given_up) : explain(*errand_, why, end());
            bytes_.close();
        }
        throw_when_cancelled(state);
        std::rethrow_exception(failure_);
    }

    // The connection is ready for the next request, or is closed.
    void give_back()
    {
        if (!pool_ || failure_ || !sent_ || !head_came_ || !in_.done())
            return;
        auto pool = std::move(pool_);
        in_.let_go();
        std::error_code failed;
        auto reusable =
            in_.parser().keep_alive() && bytes_.text().empty() && !errand_->request.wants_close();
        descriptor connection(reusable ? bytes_.socket().release(failed) : -1);
        bytes_.close();
        if (reusable && !failed)
            pool->put(errand_->request.to().key(), std::move(connection), time_to_keep());
    }

    // A second less than the server says, which may close at any time then: as Node's agent does.
    clock::duration time_to_keep() const
    {
        constexpr std::string_view name = "timeout=";
        auto time = errand_->options.keep_alive_timeout;
        auto said = in_.head().headers.find("Keep-Alive").value_or("");
        auto at = said.find(name);
        if (at == said.npos)
            return time;
        said.remove_prefix(at + name.size());
        auto seconds = digits<std::uint32_t>(trimmed(cut(said, ',')));
        if (!seconds)
            return time;
        auto kept = std::chrono::seconds(*seconds) - std::chrono::seconds(1);
        return std::min<clock::duration>(time, kept);
    }

    std::shared_ptr<const errand> errand_;
    std::shared_ptr<connection_pool>
        pool_; // until it has been decided what becomes of the connection
    stream bytes_;
    incoming<false> in_;
    fields early_hints_;
    std::exception_ptr failure_;             // once it is of no use any more
    clock::time_point moved_ = clock::now(); // when something was sent last
    unsigned interim_ = 0;
    const bool kept_;
    bool sent_ = false;      // the request, to its end
    bool refused_ = false;   // the server takes no more of the request
    bool answered_ = false;  // something of a response has come
    bool head_came_ = false; // the one of the final response
    bool reading_ = false;   // somebody waits for something to read
};

} // namespace brood::http::detail
