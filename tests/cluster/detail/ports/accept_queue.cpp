// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/detail/ports/accept_queue.hpp>

#include <brood/base/detail/asio_net.hpp>

#include "support/catch.hpp"

#include <sys/socket.h>
#include <vector>

using brood::descriptor;
using brood::detail::accept_queue_of;

TEST_CASE("the queue of a listening socket has the connections that nobody accepted",
          "[accept_queue]")
{
    asio::io_context loop;
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor acceptor(loop, any);
    acceptor.listen(7);
    descriptor listening(::dup(acceptor.native_handle()));
    std::vector<asio::ip::tcp::socket> clients;
    for (int count = 0; count < 3; ++count)
        clients.emplace_back(loop).connect(acceptor.local_endpoint());

    auto queue = accept_queue_of(listening);
#ifdef __linux__
    REQUIRE(queue);
    CHECK(queue->waiting == 3);
    CHECK(queue->room == 7);
    auto taken = acceptor.accept();
    CHECK(accept_queue_of(listening)->waiting == 2);
#endif
}

TEST_CASE("a socket that is not TCP has no such queue", "[accept_queue]")
{
    descriptor local(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

    CHECK_FALSE(accept_queue_of(local));
}
