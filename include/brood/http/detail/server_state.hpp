// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/date_clock.hpp>
#include <brood/http/detail/server_exchange.hpp>
#include <brood/http/server_options.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace brood::http::detail
{

/// What the connections of one server share.
class server_state
{
public:
    using clock = std::chrono::steady_clock;

    server_state(http::handler answer, server_options chosen)
        : handler(std::move(answer)), options(std::move(chosen)),
          kept(kept_text(options.keep_alive_timeout))
    {
    }

    /// A free exchange; an idle connection needs none.
    std::unique_ptr<server_exchange> take_exchange()
    {
        if (unused_.empty())
            return std::make_unique<server_exchange>();
        auto taken = std::move(unused_.back());
        unused_.pop_back();
        return taken;
    }

    void give_back(std::unique_ptr<server_exchange> used)
    {
        constexpr std::size_t most = 256;
        if (unused_.size() < most)
            unused_.push_back(std::move(used));
    }

    parser_limits limits() const
    {
        auto any = std::numeric_limits<std::uint64_t>::max();
        return {options.max_header_size, options.max_header_count,
                options.max_body == 0 ? any : options.max_body};
    }

    /// How often it is looked for connections that are late.
    clock::duration tick() const
    {
        clock::duration shortest = std::chrono::seconds(10);
        for (auto each :
             {options.headers_timeout, options.request_timeout, options.keep_alive_timeout,
              options.write_timeout, options.linger_timeout, options.linger_time})
            if (each.count() > 0)
                shortest = std::min<clock::duration>(shortest, each);
        return std::max<clock::duration>(shortest / 10, std::chrono::milliseconds(5));
    }

    /// The time, as of the last tick: good enough for timeouts, and free.
    clock::time_point now = clock::now();

    /// When a wait of this length ends that begins now; never for zero.
    clock::time_point after(std::chrono::milliseconds time) const
    {
        return time.count() == 0 ? byte_stream::never : now + tick() + time;
    }

    const http::handler handler;
    const server_options options;
    const std::string kept; ///< How long connections are kept, in the words of Keep-Alive.
    date_clock date;
    bool closing = false; ///< Each response is the last of its connection.

    /// How long a connection that is in use may take for one more request, once the server closes:
    /// its client may be sending it.
    static constexpr std::chrono::milliseconds grace{500};

private:
    // Whole seconds, rounded down as Node does: a client must not count on more.
    static std::string kept_text(std::chrono::milliseconds time)
    {
        auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
        return time.count() == 0 ? "" : "timeout=" + std::to_string(seconds.count());
    }

    std::vector<std::unique_ptr<server_exchange>> unused_;
};

} // namespace brood::http::detail
