// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/internal/exception_text.hpp>
#include <brood/http/detail/client_address.hpp>
#include <brood/http/detail/server_state.hpp>
#include <brood/process/traffic.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace brood::http::detail
{

/// One connection of a server: one request after the other, until either side wants no more.
class connection : public brood::detail::list_node
{
public:
    using clock = std::chrono::steady_clock;

    /// `refused`: it gets nothing but 503.
    connection(std::shared_ptr<server_state> server, socket_type socket, bool refused)
        : server_(std::move(server)), stream_(std::move(socket)), refused_(refused)
    {
        stream_.write_within(server_->options.write_timeout);
        traffic_of_this_process().count_connection();
    }

    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    ~connection()
    {
        count_bytes();
        traffic_of_this_process().count_closed_connection();
    }

    byte_stream& stream() noexcept { return stream_; }

    /// Whether it waits for a request of which nothing has come.
    bool idle() const noexcept { return phase_ == phase::idle && has_no_request(); }

    /// Its wait has taken too long. One that was only kept ends without a word.
    void expire()
    {
        if (idle() && (served_ != 0 || server_->closing))
            stream_.cancel();
        else
            stream_.expire();
    }

    /// The server takes no more requests: what waits for one has little time left.
    void hurry()
    {
        if (idle())
            stream_.read_until(last_use_ + server_->tick() + server_state::grace);
        if (phase_ != phase::lingering)
            return;
        linger_until_ = std::min(linger_until_, server_->after(linger_when_closing));
        stream_.read_until(linger_until_);
    }

    /// Serves it to its end.
    ///
    /// Everything that each request passes through stands in this one coroutine: Asio keeps the
    /// memory of two frames for the next ones, which are those of the handler and of what it
    /// awaits.
    static task<> run(std::shared_ptr<connection> self)
    {
        while (self->begin())
        {
            std::exception_ptr failed;
            try
            {
                while (!self->has_head())
                {
                    auto read = co_await self->stream_.read(4'096);
                    if (!self->goes_on(read))
                        co_return;
                }
                auto answer = self->server_->handler(self->work_->request, self->work_->response);
                co_await std::move(answer);
                if (!self->response().ended())
                    co_await self->response().end();
            }
            catch (...)
            {
                failed = std::current_exception();
            }
            if (!self->work_)
                co_return; // the client has reset the connection between two requests
            if (failed)
                co_await answer_failure(self, failed);
            if (self->has_unread_body())
                co_await discard_body(self);
            self->end();
        }
        if (self->has_unread_input())
            co_await linger(self);
    }

private:
    enum class phase
    {
        idle,      // waits for a request
        head,      // a part of its head has come
        serving,   // the handler runs, and its response is sent
        over,      // no more requests are served
        lingering, // what the client still sends is thrown away
    };

    request_core& request() noexcept { return work_->asked; }

    response_core& response() noexcept { return work_->answer; }

    // An empty line behind a request does not begin another one: RFC 9112, section 2.2.
    bool has_no_request() const noexcept
    {
        return std::string_view("\r\n").starts_with(stream_.text());
    }

    // Whether there is to be another request.
    bool begin()
    {
        if (phase_ == phase::over)
            return false;
        phase_ = phase::idle;
        last_use_ = server_->now;
        auto& options = server_->options;
        auto wait = served_ == 0 ? options.headers_timeout : options.keep_alive_timeout;
        wait_until_ = server_->after(server_->closing ? server_state::grace : wait);
        stream_.read_until(wait_until_);
        return true;
    }

    // Takes the head of the next request from what has come, if it is there.
    bool has_head()
    {
        if (refused_)
            refuse_connection();
        if (stream_.text().empty() || idle())
            return false;
        if (phase_ == phase::idle)
            begin_head();
        if (!request().reader().read_head())
            return false;
        phase_ = phase::serving;
        stream_.read_until(request_until_);
        announce_end();
        if (served_ > limit())
            throw refusal(503, "too many requests on one connection");
        return true;
    }

    void announce_end()
    {
        if (!request().reader().parser().keep_alive() || served_ >= limit())
            return response().close_after();
        if (server_->options.max_requests_per_connection == 0)
            return response().tell_kept(server_->kept);
        auto left = "max=" + std::to_string(limit() - served_);
        response().tell_kept(server_->kept.empty() ? left : server_->kept + ", " + left);
    }

    [[noreturn]] void refuse_connection()
    {
        take_work();
        throw refusal(503, "too many connections");
    }

    void begin_head()
    {
        phase_ = phase::head;
        ++served_;
        auto& options = server_->options;
        if (options.on_request)
        {
            began_ = clock::now();
            began_at_ = std::chrono::system_clock::now();
            client(); // an upgrade takes the socket away
        }
        request_until_ = server_->after(options.request_timeout);
        auto first = served_ == 1; // its time has begun with the connection
        auto head_until = first ? wait_until_ : server_->after(options.headers_timeout);
        stream_.read_until(std::min(head_until, request_until_));
        take_work();
    }

    void take_work()
    {
        work_ = server_->take_exchange();
        traffic_of_this_process().count_begun_request();
        request().begin(stream_, server_->limits());
        response().begin(request(), server_->date, server_->closing);
    }

    // Whether there is something to parse; else the client has closed, or was too slow.
    bool goes_on(byte_stream::reading read)
    {
        if (read == byte_stream::reading::some)
            return true;
        if (phase_ == phase::idle && (read == byte_stream::reading::end || served_ != 0))
            return false;
        if (!work_)
            take_work();
        if (read == byte_stream::reading::later)
            throw refusal(408, "the request came too slowly");
        throw refusal(400, "the request was cut off");
    }

    std::size_t limit() const
    {
        auto most = server_->options.max_requests_per_connection;
        return most == 0 ? std::numeric_limits<std::size_t>::max() : most;
    }

    static task<> answer_failure(std::shared_ptr<connection> self, std::exception_ptr failed)
    {
        auto text = self->explain(failed);
        if (!text)
            co_return;
        try
        {
            co_await self->response().end(*text);
        }
        catch (const std::exception&)
        {
            // The client has gone meanwhile: there is nobody to tell.
        }
    }

    // What to answer in place of the handler; nothing when the client has gone, or has a part of
    // the handler's response already, which is then cut off.
    std::optional<std::string> explain(const std::exception_ptr& failed)
    {
        if (stream_.broken())
            return std::nullopt;
        unsigned status = 500;
        std::string text = "Internal Server Error";
        fields headers;
        try
        {
            std::rethrow_exception(failed);
        }
        catch (const refusal& why)
        {
            status = why.status();
            text = why.what();
            headers = why.headers();
        }
        catch (const std::system_error&)
        {
            if (!response().is_upgraded()) // else it is how its own reads and writes end
                tell(failed);
        }
        catch (...)
        {
            tell(failed);
        }
        if (response().begun())
            return std::nullopt;
        response().restart(status, headers);
        response().open_headers().set("Content-Type", "text/plain; charset=utf-8");
        if (phase_ != phase::serving)
            response().close_after();
        return text + '\n';
    }

    void tell(const std::exception_ptr& failed)
    {
        if (auto& on_error = server_->options.on_error)
            return on_error(work_->request, failed);
        std::fprintf(stderr, "brood: http: process %d: %s %s: the handler threw: %s\n",
                     static_cast<int>(::getpid()), request().head().method.c_str(),
                     request().head().target.c_str(),
                     brood::detail::exception_text(failed).c_str());
    }

    // A body that the handler did not read stands before the next request.
    bool has_unread_body()
    {
        return !response().is_upgraded() && !request().complete() && response().ended() &&
               response().keep_alive() && !stream_.broken();
    }

    static task<> discard_body(std::shared_ptr<connection> self)
    {
        std::size_t discarded = 0;
        try
        {
            while (discarded <= request_core::most_discarded)
            {
                auto piece = co_await self->request().reader().next();
                if (!piece)
                    break;
                discarded += piece->size();
            }
        }
        catch (const std::exception&)
        {
            // The rest of the request is no better than its connection, which ends.
        }
    }

    void end()
    {
        count_request();
        report();
        auto& answer = response();
        if (answer.ends_with_connection() && (!answer.ended() || stream_.broken()))
            stream_.reset(); // a usual end would say that this was all
        auto open = !answer.is_upgraded() && !stream_.broken();
        if (open)
            request().reader().let_go();
        auto in_step = open && answer.ended() && request().complete();
        auto too_many = served_ == limit() && open && !has_no_request();
        phase_ = in_step && (answer.keep_alive() || too_many) ? phase::idle : phase::over;
        unread_ = open && phase_ == phase::over && (!in_step || stream_.has_unread());
        server_->give_back(std::move(work_));
        if (open)
            stream_.shrink();
    }

    void count_request()
    {
        auto& counters = traffic_of_this_process();
        counters.count_request();
        if (response().status() >= 500)
            counters.count_failed_request();
        count_bytes();
    }

    void count_bytes() noexcept
    {
        auto& counters = traffic_of_this_process();
        counters.count_received(stream_.received() - std::exchange(received_, stream_.received()));
        counters.count_sent(stream_.sent() - std::exchange(sent_, stream_.sent()));
    }

    void report()
    {
        auto& on_request = server_->options.on_request;
        if (!on_request || !response().ended() || phase_ == phase::idle)
            return;
        auto time = std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - began_);
        on_request(access_record{request().head(), client(), response().status(),
                                 response().body_size(), time, began_at_});
    }

    // Known from the first report on: the socket tells it only as long as it is connected.
    const std::string& client()
    {
        if (client_.empty())
            client_ = client_address(stream_.socket());
        return client_;
    }

    bool has_unread_input() const noexcept
    {
        return unread_ && server_->options.linger_time.count() != 0;
    }

    // Closing a socket with something unread would reset the connection, and the client may lose
    // the response: RFC 9112, section 9.6.
    static task<> linger(std::shared_ptr<connection> self)
    {
        auto& stream = self->stream_;
        auto& server = *self->server_;
        self->phase_ = phase::lingering;
        self->linger_until_ = server.after(server.options.linger_time);
        if (server.closing)
            self->linger_until_ = std::min(self->linger_until_, server.after(linger_when_closing));
        stream.end_writing();
        stream.input().clear();
        try
        {
            for (auto read = byte_stream::reading::some; read == byte_stream::reading::some;)
            {
                auto silent_until = server.after(server.options.linger_timeout);
                stream.read_until(std::min(silent_until, self->linger_until_));
                if (self->linger_until_ < server.now)
                    break;
                read = co_await stream.read(16'384);
                stream.input().clear();
            }
        }
        catch (const std::exception&)
        {
            // It has been reset by the client.
        }
    }

    static constexpr std::chrono::milliseconds linger_when_closing{2'000};

    std::shared_ptr<server_state> server_;
    byte_stream stream_;
    std::unique_ptr<server_exchange> work_; // of the request that is served
    std::string client_;
    clock::time_point last_use_;                     // as of the tick before
    clock::time_point began_;                        // the request, when somebody wants to know
    std::chrono::system_clock::time_point began_at_; // the same, for people
    clock::time_point wait_until_;    // when a request must have begun; of the first, all its head
    clock::time_point linger_until_;  // when what the client still sends is cut off
    clock::time_point request_until_; // when all of the request must have come
    std::uint64_t received_ = 0;      // bytes that have been counted
    std::uint64_t sent_ = 0;          // the same
    std::size_t served_ = 0;          // requests, the one that is served included
    phase phase_ = phase::idle;
    bool refused_ = false;
    bool unread_ = false; // something that no request was read from
};

} // namespace brood::http::detail
