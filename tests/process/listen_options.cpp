// SPDX-License-Identifier: BSL-1.0
#include <brood/process/listen_options.hpp>

#include <brood/process/internal/listening_socket.hpp>
#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <sys/stat.h>

#include <string>
#include <system_error>

using asio::ip::tcp;
using brood::listen_options;
using brood::detail::listening_socket;
using brood::detail::to_listen_request;

namespace
{

int option_of(const listening_socket& socket, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(socket.socket().get(), level, name, &value, &size);
    return value;
}

} // namespace

TEST_CASE("an IPv6 socket takes IPv4 as well unless that is not wanted", "[listen_options]")
{
    tcp::endpoint any(asio::ip::address_v6::any(), 0);
    listen_options v6_only;
    v6_only.v6_only = true;

    listening_socket both(to_listen_request(any, {}));
    listening_socket one(to_listen_request(any, v6_only));

    CHECK(option_of(both, IPPROTO_IPV6, IPV6_V6ONLY) == 0);
    CHECK(option_of(one, IPPROTO_IPV6, IPV6_V6ONLY) == 1);
}

TEST_CASE("two sockets share a port only when both want to", "[listen_options]")
{
    listen_options reuse;
    reuse.reuse_port = true;
    tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    listening_socket first(to_listen_request(any, reuse));
    auto taken = to_listen_request(any, reuse);
    taken.address = first.address().bytes();

    CHECK_NOTHROW(listening_socket(taken));
    taken.reuse_port = false;
    CHECK_THROWS_AS(listening_socket(taken), std::system_error);
}

TEST_CASE("the mode of a local socket is that of its file", "[listen_options]")
{
    brood::test::temporary_directory folder;
    listen_options for_all;
    for_all.mode = 0777;
    auto path = (folder.path() / "socket").string();
    listening_socket socket(
        to_listen_request(asio::local::stream_protocol::endpoint(path), for_all));
    struct stat about = {};

    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0777);
}
