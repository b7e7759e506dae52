// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/task.hpp>
#include <brood/http/client_options.hpp>
#include <brood/http/client_request.hpp>
#include <brood/http/client_response.hpp>
#include <brood/http/detail/client_exchange.hpp>
#include <brood/http/detail/connect.hpp>
#include <brood/http/detail/connection_pool.hpp>
#include <brood/http/upload.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace brood::http
{

/// Sends requests, and keeps connections for the next ones: to any number of hosts, one connection
/// for each request that is under way.
///
/// Copies share the connections. Nothing runs between requests, so that a client keeps no loop from
/// ending; use it on one thread. Redirects, cookies, compression, TLS and proxies are not its
/// business.
/// Follows Node's http.Agent: https://nodejs.org/api/http.html#class-httpagent
class client
{
public:
    explicit client(client_options options = {})
        : options_(std::move(options)),
          pool_(std::make_shared<detail::connection_pool>(options_.max_idle_per_host))
    {
    }

    /// Sends a request with its whole body, and resumes when the head of the response has come.
    ///
    /// Every status is a response. A kept connection that the server closes meanwhile is replaced
    /// by a new one, once, when the request is idempotent: RFC 9110, section 9.2.2. Throws
    /// brood::error: errc::timed_out, errc::closed when the server closes before it has answered,
    /// errc::malformed and errc::too_large for what it answers; and std::system_error for what the
    /// system refuses, as a connection. They name the URL and the step. Cancelled, it closes the
    /// connection: the server may have carried the request out.
    task<client_response> send(client_request request)
    {
        return send_whole(pool_, make_context(std::move(request), false));
    }

    /// The same, and reads the whole body: at most 1 MiB, unless max_body says otherwise.
    task<answer> fetch(client_request request)
    {
        return read_whole(pool_, make_context(std::move(request), false));
    }

    /// Asks for what a URL names: fetch() with GET. Throws std::invalid_argument for what is no
    /// such URL.
    task<answer> get(std::string url) { return fetch(client_request(std::move(url))); }

    /// Sends the head of a request whose body is to follow in pieces, and resumes when the kernel
    /// has it. Throws as send(), and std::invalid_argument for a Content-Length that is none, and
    /// for a request that has a body already.
    task<http::upload> upload(client_request request)
    {
        if (!request.body().empty())
            throw std::invalid_argument("brood: http: the body of an upload is written to it");
        return begin(pool_, make_context(std::move(request), true));
    }

    /// How many connections are kept for another request.
    std::size_t idle() const { return pool_->size(); }

    /// Closes them.
    void close_idle() { pool_->clear(); }

private:
    using pool_type = std::shared_ptr<detail::connection_pool>;
    using context_type = std::shared_ptr<const detail::request_context>;
    using exchange_type = std::shared_ptr<detail::client_exchange>;

    context_type make_context(client_request request, bool streamed) const
    {
        return std::make_shared<const detail::request_context>(std::move(request), options_,
                                                               streamed);
    }

    /// On a kept connection, or on a new one.
    static task<exchange_type> open(pool_type pool, context_type of, bool fresh)
    {
        auto executor = co_await asio::this_coro::executor;
        auto kept = fresh ? descriptor() : pool->take(of->request.to().key());
        if (kept)
        {
            auto socket = detail::adopt(executor, std::move(kept));
            co_return std::make_shared<detail::client_exchange>(of, pool, std::move(socket), true);
        }
        auto socket = co_await detail::connect(of);
        co_return std::make_shared<detail::client_exchange>(of, pool, std::move(socket), false);
    }

    /// Whether there is an answer; else another connection is to be tried.
    static task<bool> ask(context_type of, exchange_type on)
    {
        auto& body = of->request.body();
        auto head = of->request.head(body.size());
        try
        {
            auto all = co_await detail::client_exchange::write(on, head, body);
            if (all)
                on->sent();
            co_await detail::client_exchange::read_head(on);
            co_return true;
        }
        catch (const error& why)
        {
            if (why.code() != errc::closed || !on->is_doubtful() || !of->is_repeatable())
                throw;
        }
        co_return false;
    }

    static task<client_response> send_whole(pool_type pool, context_type of)
    {
        for (bool fresh = false;; fresh = true)
        {
            auto exchange = co_await open(pool, of, fresh);
            auto answered = co_await ask(of, exchange);
            if (answered)
                co_return client_response(exchange);
        }
    }

    static task<answer> read_whole(pool_type pool, context_type of)
    {
        constexpr std::uint64_t usual = 1U << 20;
        auto chosen = of->options.max_body;
        auto limit = static_cast<std::size_t>(chosen == 0 ? usual : chosen);
        auto response = co_await send_whole(pool, of);
        answer result;
        auto body = co_await response.body(limit);
        result.status = response.status();
        result.headers = response.headers();
        result.body = std::move(body);
        result.trailers = response.trailers();
        co_return result;
    }

    static task<http::upload> begin(pool_type pool, context_type of)
    {
        auto length = of->request.promised_length();
        auto head = of->request.head(length);
        auto exchange = co_await open(pool, of, false);
        co_await detail::client_exchange::write(exchange, head);
        co_return http::upload(exchange, length);
    }

    client_options options_;
    pool_type pool_;
};

/// Sends a request on a connection of its own, and reads the whole answer: client::fetch().
inline task<answer> fetch(client_request request, client_options options = {})
{
    request.set("Connection", "close");
    return client(std::move(options)).fetch(std::move(request));
}

/// Asks for what a URL names, on a connection of its own: client::get().
///
///     auto answer = co_await brood::http::get("http://127.0.0.1:8080/health");
inline task<answer> get(std::string url, client_options options = {})
{
    return fetch(client_request(std::move(url)), std::move(options));
}

} // namespace brood::http
