// SPDX-License-Identifier: BSL-1.0
#include <brood/process/shared_socket.hpp>

#include <brood/base/loop.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/ip/udp.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/datagram_protocol.hpp>
#include <asio/use_awaitable.hpp>

#include <memory>
#include <string>
#include <system_error>
#include <utility>

using namespace std::chrono_literals;
using namespace brood::test;
using asio::ip::udp;
using brood::shared_socket;
using brood::task;
using brood::detail::receiving;

namespace
{

const udp::endpoint any_here(asio::ip::address_v4::loopback(), 0);

/// A socket that ends by `until`, and one to send to it.
struct both
{
    std::shared_ptr<receiving> until = std::make_shared<receiving>();
    shared_socket<udp::socket> socket{udp::socket(brood::default_executor(), any_here), until};
    udp::socket client{brood::default_executor(), any_here};

    void send(const std::string& text)
    {
        client.send_to(asio::buffer(text), socket.local_endpoint());
    }
};

/// What an operation says: "pong", or "cancelled".
task<std::string> outcome_of(task<std::string> operation)
{
    try
    {
        auto said = co_await std::move(operation);
        co_return said;
    }
    catch (const std::system_error& failed)
    {
        if (failed.code() != asio::error::operation_aborted)
            throw;
    }
    co_return "cancelled";
}

task<std::string> receive(shared_socket<udp::socket>& from)
{
    std::string text(16, ' ');
    auto into = asio::buffer(text);
    auto count = co_await from.async_receive(into, asio::use_awaitable);
    co_return text.substr(0, count);
}

task<std::string> receive_from(shared_socket<udp::socket>& from)
{
    std::string text(16, ' ');
    auto into = asio::buffer(text);
    udp::endpoint who;
    auto count = co_await from.async_receive_from(into, who, asio::use_awaitable);
    co_return text.substr(0, count);
}

task<std::string> wait(shared_socket<udp::socket>& until)
{
    co_await until.async_wait(udp::socket::wait_read, asio::use_awaitable);
    co_return "ready";
}

task<> note(task<std::string> operation, std::string& outcome)
{
    outcome = co_await outcome_of(std::move(operation));
}

/// Lets what can go on do so.
task<> turns()
{
    for (int count = 0; count < 5; ++count)
        co_await brood::sleep(0ms);
}

} // namespace

TEST_WITHIN(10s, "what waits for a datagram is cancelled when the worker is to end",
            "[shared_socket]")
{
    auto executor = co_await asio::this_coro::executor;
    for (auto operation : {receive, receive_from, wait})
    {
        both of;
        std::string outcome;
        asio::co_spawn(executor, note(operation(of.socket), outcome), asio::detached);
        co_await turns();
        CHECK(outcome.empty());

        of.until->end();
        co_await turns();
        CHECK(outcome == "cancelled");
    }
}

TEST_WITHIN(10s, "no datagram is taken from then on, and it is there for others", "[shared_socket]")
{
    for (auto operation : {receive, receive_from, wait})
    {
        both of;
        of.send("one");
        of.until->end();
        auto outcome = co_await outcome_of(operation(of.socket));
        CHECK(outcome == "cancelled");
        CHECK(of.socket.available() == 3);
    }
}

TEST_WITHIN(10s, "an answer can be sent although nothing is taken any more", "[shared_socket]")
{
    both of;
    of.until->end();
    auto text = asio::buffer("answer", 6);
    auto to = of.client.local_endpoint();
    co_await of.socket.async_wait(udp::socket::wait_write, asio::use_awaitable);
    co_await of.socket.async_send_to(text, to, asio::use_awaitable);
    char bytes[16];
    CHECK(of.client.receive(asio::buffer(bytes)) == 6);
}

TEST_WITHIN(10s, "a send that waits for room is cancelled, and the next one is not",
            "[shared_socket]")
{
    using local = asio::local::datagram_protocol;
    auto executor = co_await asio::this_coro::executor;
    auto until = std::make_shared<receiving>();
    local::socket one(executor), other(executor); // UDP of this machine always has room
    asio::local::connect_pair(one, other);
    shared_socket<local::socket> socket(std::move(one), until);
    socket.non_blocking(true);
    std::error_code full;
    while (!full)
        socket.send(asio::buffer("fill", 4), 0, full);

    auto send = [&]() -> task<std::string>
    {
        auto text = asio::buffer("more", 4);
        co_await socket.async_send(text, asio::use_awaitable);
        co_return "sent";
    };
    std::string outcome;
    asio::co_spawn(executor, note(send(), outcome), asio::detached);
    co_await turns();
    CHECK(outcome.empty());

    until->end();
    co_await turns();
    CHECK(outcome == "cancelled");

    char bytes[16];
    other.receive(asio::buffer(bytes));
    auto next = co_await outcome_of(send());
    CHECK(next == "sent");
}

TEST_WITHIN(10s, "a socket that was moved is the one that ends", "[shared_socket]")
{
    auto executor = co_await asio::this_coro::executor;
    both of;
    auto first = std::move(of.socket);
    both other;
    first = std::move(other.socket); // ends by the other's end now
    std::string outcome;
    asio::co_spawn(executor, note(receive(first), outcome), asio::detached);
    co_await turns();
    of.until->end();
    co_await turns();
    CHECK(outcome.empty());

    other.until->end();
    co_await turns();
    CHECK(outcome == "cancelled");
}

TEST_WITHIN(10s, "the end comes after the socket has gone, or into a plain one", "[shared_socket]")
{
    auto until = std::make_shared<receiving>();
    {
        both of;
        until = of.until;
    }
    until->end();

    both of;
    udp::socket plain = std::move(of.socket);
    of.until->end();
    of.client.send_to(asio::buffer("one", 3), plain.local_endpoint());
    char bytes[16];
    auto into = asio::buffer(bytes);
    auto count = co_await plain.async_receive(into, asio::use_awaitable);
    CHECK(count == 3);
}

TEST_WITHIN(10s, "without an end, and with a handler, it is a socket of Asio's", "[shared_socket]")
{
    shared_socket<udp::socket> socket(udp::socket(brood::default_executor(), any_here));
    both of;
    of.client.send_to(asio::buffer("one", 3), socket.local_endpoint());
    auto text = co_await receive_from(socket);
    CHECK(text == "one");

    std::error_code told;
    auto called = false;
    char bytes[16];
    of.until->end();
    of.socket.async_receive(asio::buffer(bytes), 0,
                            [&](std::error_code failed, std::size_t)
                            {
                                told = failed;
                                called = true;
                            });
    CHECK_FALSE(called); // not inside the call
    co_await turns();
    CHECK(told == asio::error::operation_aborted);
}
