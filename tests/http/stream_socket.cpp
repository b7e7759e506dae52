// SPDX-License-Identifier: BSL-1.0
#include <brood/http/stream_socket.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>

#include <type_traits>

namespace http = brood::http;

TEST_CASE("a socket of TCP and a local one become a stream_socket", "[http]")
{
    STATIC_REQUIRE(std::is_constructible_v<http::stream_socket, asio::ip::tcp::socket>);
    STATIC_REQUIRE(
        std::is_constructible_v<http::stream_socket, asio::local::stream_protocol::socket>);
    STATIC_REQUIRE(std::is_constructible_v<http::stream_endpoint, asio::ip::tcp::endpoint>);
}

TEST_CASE("an upgraded connection has a socket, and what was read of it already", "[http]")
{
    asio::io_context loop;

    http::upgraded none;
    http::upgraded given(http::stream_socket(loop), "early");

    CHECK(!none.socket);
    CHECK(given.socket.has_value());
    CHECK(given.already_read == "early");
}
