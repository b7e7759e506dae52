// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/task.hpp>
#include <brood/http/client_options.hpp>
#include <brood/http/client_response.hpp>
#include <brood/http/detail/client_exchange.hpp>
#include <brood/http/detail/connect.hpp>
#include <brood/http/detail/connection_pool.hpp>
#include <brood/http/upload.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace brood::http::detail
{

/// What copies of a client share, and how they send.
struct client_core
{
    using core_type = std::shared_ptr<client_core>;
    using context_type = std::shared_ptr<const request_context>;
    using exchange_type = std::shared_ptr<client_exchange>;

    explicit client_core(client_options chosen)
        : options(std::move(chosen)), pool(options.max_idle_per_host)
    {
    }

    const client_options options;
    connection_pool pool;

    /// See client::send().
    static task<client_response> send_whole(core_type core, client_request request)
    {
        return send(core, core->make_context(std::move(request), false));
    }

    /// See client::fetch().
    static task<answer> read_whole(core_type core, client_request request)
    {
        return fetch(core, core->make_context(std::move(request), false));
    }

    /// See client::upload().
    static task<http::upload> begin_upload(core_type core, client_request request)
    {
        return upload(core, core->make_context(std::move(request), true));
    }

private:
    context_type make_context(client_request request, bool streamed) const
    {
        return std::make_shared<const request_context>(std::move(request), options, streamed);
    }

    // On a kept connection, or on a new one.
    static task<exchange_type> open(core_type core, context_type of, bool fresh)
    {
        auto executor = co_await asio::this_coro::executor;
        std::shared_ptr<connection_pool> pool(core, &core->pool);
        auto kept = fresh ? descriptor() : pool->take(of->key());
        if (kept)
        {
            auto socket = adopt(executor, std::move(kept));
            co_return std::make_shared<client_exchange>(of, pool, std::move(socket), true);
        }
        auto socket = co_await connect(of);
        co_return std::make_shared<client_exchange>(of, pool, std::move(socket), false);
    }

    // Whether there is an answer; else another connection is to be tried.
    static task<bool> ask(context_type of, exchange_type on)
    {
        auto& body = of->request.body();
        auto head = of->head(body.size());
        try
        {
            auto all = co_await client_exchange::write(on, head, body);
            if (all)
                on->sent();
            co_await client_exchange::read_head(on);
            co_return true;
        }
        catch (const error& why)
        {
            if (why.code() != errc::closed || !on->is_doubtful() || !of->is_repeatable())
                throw;
        }
        co_return false;
    }

    static task<client_response> send(core_type core, context_type of)
    {
        for (bool fresh = false;; fresh = true)
        {
            auto exchange = co_await open(core, of, fresh);
            auto answered = co_await ask(of, exchange);
            if (answered)
                co_return client_response(exchange);
        }
    }

    static task<answer> fetch(core_type core, context_type of)
    {
        constexpr std::uint64_t usual = 1U << 20;
        auto chosen = of->options.max_body;
        auto limit = static_cast<std::size_t>(chosen == 0 ? usual : chosen);
        auto response = co_await send(core, of);
        answer result;
        auto body = co_await response.body(limit);
        result.status = response.status();
        result.headers = response.headers();
        result.body = std::move(body);
        result.trailers = response.trailers();
        co_return result;
    }

    static task<http::upload> upload(core_type core, context_type of)
    {
        auto length = of->promised_length();
        auto head = of->head(length);
        auto exchange = co_await open(core, of, false);
        exchange->body().begin(length ? framing::length : framing::chunked, length.value_or(0));
        co_await client_exchange::write(exchange, head);
        co_return http::upload(exchange);
    }
};

} // namespace brood::http::detail
