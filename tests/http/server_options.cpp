// SPDX-License-Identifier: BSL-1.0
#include <brood/http/server_options.hpp>

#include "support/catch.hpp"

#include <type_traits>

using namespace std::chrono_literals;
using brood::http::server_options;

TEST_CASE("a server is as patient as Node's unless told otherwise", "[server_options]")
{
    server_options options;

    CHECK(options.headers_timeout == 60s);
    CHECK(options.request_timeout == 300s);
    CHECK(options.keep_alive_timeout == 5s);
    CHECK(options.write_timeout == 0s);
}

TEST_CASE("a server bears what a refused client sends as nginx does", "[server_options]")
{
    server_options options;

    CHECK(options.linger_timeout == 5s);
    CHECK(options.linger_time == 30s);
}

TEST_CASE("a server takes as much as Node's unless told otherwise", "[server_options]")
{
    server_options options;

    CHECK(options.max_header_size == 16'384);
    CHECK(options.max_header_count == 2'000);
    CHECK(options.max_body == 0);
    CHECK(options.max_requests_per_connection == 0);
    CHECK(options.max_connections == 0);
}

TEST_CASE("nobody is called unless somebody says so", "[server_options]")
{
    server_options options;

    CHECK(!options.on_request);
    CHECK(!options.on_error);
}

TEST_CASE("options may be written beside an await", "[server_options]")
{
    // g++ 12 destroys a temporary aggregate twice there.
    CHECK(!std::is_aggregate_v<server_options>);
}
