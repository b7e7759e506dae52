// SPDX-License-Identifier: BSL-1.0
#include <brood/wire/internal/far_channel.hpp>

#include <brood/base/loop.hpp>

#include "support/catch.hpp"
#include "support/patience.hpp"
#include "support/within.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <utility>

using namespace std::chrono_literals;
using brood::channel_limits;
using brood::check;
using brood::default_executor;
using brood::descriptor;
using brood::task;
using brood::detail::far_channel;
using brood::test::eventually;
using Catch::Matchers::ContainsSubstring;

namespace
{

/// Two ends of a connection of TCP on this machine.
std::pair<descriptor, descriptor> tcp_pair()
{
    descriptor door(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto address = reinterpret_cast<sockaddr*>(&at);
    socklen_t size = sizeof at;
    check(::bind(door.get(), address, size), "bind");
    check(::listen(door.get(), 1), "listen");
    check(::getsockname(door.get(), address, &size), "getsockname");
    descriptor one(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    check(::connect(one.get(), address, size), "connect");
    descriptor other(check(::accept4(door.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    for (auto end : {&one, &other})
    {
        int on = 1;
        check(::setsockopt(end->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "nodelay");
    }
    return {std::move(one), std::move(other)};
}

far_channel end_of(descriptor socket, const channel_limits& limits = {})
{
    return far_channel(default_executor(), std::move(socket), "worker 1 on n1", limits);
}

task<> echo(far_channel& by)
{
    while (auto text = co_await by.message<std::string>())
        by.send(*text);
}

} // namespace

TEST_WITHIN(20s, "A channel over TCP carries messages and calls both ways", "[far_channel]")
{
    auto [one, other] = tcp_pair();
    auto here = end_of(std::move(one));
    auto there = end_of(std::move(other));
    here.send(std::string("there"));
    auto came = co_await there.message<std::string>();
    CHECK(came == "there");
    auto by = [](int number)
    {
        return number * number;
    };
    asio::co_spawn(default_executor(), there.serve(by), asio::detached);
    auto squared = co_await here.call<int>(7);
    CHECK(squared == 49);
    here.disconnect();
    co_await there.disconnected();
    CHECK_FALSE(there.connected());
}

TEST_WITHIN(20s, "A channel over TCP carries messages of every length, and the longest",
            "[far_channel]")
{
    auto [one, other] = tcp_pair();
    auto here = end_of(std::move(one));
    auto there = end_of(std::move(other));
    asio::co_spawn(default_executor(), echo(there), asio::detached);
    for (std::size_t length : {1U, 1024U, 2048U, 2049U, 65'536U, 8U << 20})
    {
        std::string sent(length, 'x');
        here.send(sent);
        auto came = co_await here.message<std::string>();
        CHECK((came && *came == sent));
    }
    here.disconnect();
    co_await there.disconnected();
}

TEST_WITHIN(20s, "What is sent before there is a socket arrives when it is there, in its order",
            "[far_channel]")
{
    auto [one, other] = tcp_pair();
    auto here = end_of(descriptor());
    auto there = end_of(std::move(other));
    for (int number = 0; number < 100; ++number)
        here.send(number);
    CHECK(here.connected());
    co_await brood::sleep(5ms); // turns of the loop that have nothing to write to
    here.link()->connect(std::move(one));
    for (int number = 0; number < 100; ++number)
    {
        auto came = co_await there.message<int>();
        CHECK(came == number);
    }
    there.send(std::string("back"));
    auto back = co_await here.message<std::string>();
    CHECK(back == "back");
}

TEST_WITHIN(20s, "A large message that waits for its socket asks to wait, and drains",
            "[far_channel]")
{
    auto [one, other] = tcp_pair();
    auto here = end_of(descriptor());
    auto there = end_of(std::move(other));
    std::string large(std::size_t{1} << 20, 'x');
    CHECK_FALSE(here.send(large));
    auto drained = false;
    asio::co_spawn(default_executor(), here.drain(), [&](std::exception_ptr) { drained = true; });
    co_await brood::sleep(5ms);
    CHECK_FALSE(drained);
    here.link()->connect(std::move(one));
    auto came = co_await there.message<std::string>();
    CHECK((came && came->size() == large.size()));
    auto done = co_await eventually(5s, [&] { return drained; });
    CHECK(done);
}

TEST_WITHIN(20s, "A channel that was disconnected before it had a socket ends behind what was sent",
            "[far_channel]")
{
    auto [one, other] = tcp_pair();
    auto here = end_of(descriptor());
    auto there = end_of(std::move(other));
    here.send(1);
    here.disconnect();
    here.link()->connect(std::move(one));
    auto came = co_await there.message<int>();
    CHECK(came == 1);
    auto none = co_await there.message<int>();
    CHECK_FALSE(none);
    there.send(2);
    there.disconnect();
    auto answer = co_await here.message<int>();
    CHECK(answer == 2);
}

TEST_WITHIN(20s, "A channel that was dropped before it had a socket still delivers",
            "[far_channel]")
{
    auto [one, other] = tcp_pair();
    auto there = end_of(std::move(other));
    std::shared_ptr<brood::detail::link> left;
    {
        auto here = end_of(descriptor());
        here.send(1);
        left = here.link();
    }
    left->connect(std::move(one));
    auto came = co_await there.message<int>();
    CHECK(came == 1);
    auto none = co_await there.message<int>();
    CHECK_FALSE(none);
}

TEST_WITHIN(20s, "A process that ends before its channel had a socket: everybody learns it",
            "[far_channel]")
{
    auto [one, other] = tcp_pair();
    auto here = end_of(descriptor());
    here.send(1);
    here.link()->peer_exited();
    auto none = co_await here.message<int>();
    CHECK_FALSE(none);
    CHECK_FALSE(here.connected());
    CHECK_THROWS_WITH(here.send(2), ContainsSubstring("worker 1 on n1"));
    here.link()->connect(std::move(one)); // too late: it is closed
    char byte = 0;
    CHECK(::recv(other.get(), &byte, 1, 0) == 0);
}

TEST_WITHIN(20s, "Descriptors and shared memory do not leave this machine, and are not lost",
            "[far_channel]")
{
    auto [one, other] = tcp_pair();
    auto here = end_of(std::move(one));
    auto there = end_of(std::move(other));
    descriptor kept(::dup(0));
    auto refusal = [&](auto send)
    {
        try
        {
            send();
        }
        catch (const brood::error& why)
        {
            CHECK(why.code() == brood::errc::not_local);
            CHECK_THAT(why.what(), ContainsSubstring("worker 1 on n1"));
            return true;
        }
        return false;
    };
    CHECK(refusal([&] { here.send(1, std::move(kept)); }));
    CHECK(kept.get() != -1);
    CHECK(refusal([&] { here.send(1, brood::shared_bytes::copy_of({})); }));
    here.send(2); // nothing of it was sent
    auto came = co_await there.message<int>();
    CHECK(came == 2);
}

TEST_WITHIN(20s, "A connection that is reset is an end, and calls under way learn it",
            "[far_channel]")
{
    auto [one, other] = tcp_pair();
    auto here = end_of(std::move(one));
    here.link()->expect_exit();
    auto ended = false;
    auto call = [&]() -> task<>
    {
        try
        {
            co_await here.call<int>(1);
        }
        catch (const brood::error& why)
        {
            ended = why.code() == brood::errc::closed;
        }
    };
    asio::co_spawn(default_executor(), call(), asio::detached);
    co_await brood::sleep(1ms);
    linger now{1, 0}; // closing resets it
    check(::setsockopt(other.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now), "linger");
    other.reset();
    auto done = co_await eventually(5s, [&] { return ended; });
    CHECK(done);
    CHECK_FALSE(here.connected());
}
