// SPDX-License-Identifier: BSL-1.0
#include <brood/wire/attachment.hpp>

#include <brood/base/detail/asio_net.hpp>
#include <brood/base/loop.hpp>
#include <brood/wire/channel.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/descriptors.hpp"
#include "support/lowered_limit.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <asio/ip/udp.hpp>
#include <asio/read.hpp>
#include <asio/readable_pipe.hpp>
#include <asio/writable_pipe.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using asio::ip::tcp;
using asio::ip::udp;
using brood::carrying;
using brood::channel;
using brood::channel_limits;
using brood::descriptor;
using brood::share;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

descriptor null_device()
{
    return descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

std::vector<descriptor> null_devices(std::size_t count)
{
    std::vector<descriptor> result;
    while (result.size() < count)
        result.push_back(null_device());
    return result;
}

tcp::acceptor loopback_acceptor()
{
    return tcp::acceptor(brood::default_executor(),
                         tcp::endpoint(asio::ip::address_v4::loopback(), 0));
}

template <class Wanted>
task<brood::error> refused(channel& from)
{
    try
    {
        co_await from.message<Wanted>();
    }
    catch (const brood::error& wrong)
    {
        co_return wrong;
    }
    co_return brood::error(brood::errc::closed, "nothing was refused");
}

} // namespace

TEST_WITHIN(10s, "an accepted connection moves to whoever receives it", "[attachment][node-47]")
{
    auto [one, other] = channel::pair();
    auto acceptor = loopback_acceptor();
    auto client = co_await connect_to(acceptor.local_endpoint().port());
    auto accepted = co_await acceptor.async_accept(asio::use_awaitable);
    one.send(std::string("yours"), std::move(accepted));
    auto taken = co_await other.message<carrying<std::string, tcp::socket>>();
    REQUIRE(taken);
    CHECK(taken->message == "yours");
    std::string text = "from the other side";
    co_await asio::async_write(taken->object(), asio::buffer(text), asio::use_awaitable);
    taken->object().close();
    auto answer = co_await brood::test::read_all(std::move(client));

    CHECK(answer == text);
}

TEST_WITHIN(10s, "a listener that is shared accepts on both sides", "[attachment]")
{
    auto [one, other] = channel::pair();
    auto acceptor = loopback_acceptor();
    one.send(1, share(acceptor));
    auto taken = co_await other.message<carrying<int, tcp::acceptor>>();
    REQUIRE(taken);
    CHECK(taken->object().local_endpoint() == acceptor.local_endpoint());
    for (auto listening : {&acceptor, &taken->object()})
    {
        auto client = co_await connect_to(acceptor.local_endpoint().port());
        auto accepted = co_await listening->async_accept(asio::use_awaitable);
        CHECK(accepted.remote_endpoint() == client.local_endpoint());
    }
}

TEST_CASE("datagram sockets, local sockets, pipes and files arrive as what was asked for",
          "[attachment]")
{
    within(
        10s,
        []() -> task<>
        {
            auto executor = co_await asio::this_coro::executor;
            auto [one, other] = channel::pair();
            udp::socket datagrams(executor, udp::endpoint(asio::ip::address_v4::loopback(), 0));
            auto at = datagrams.local_endpoint();
            auto [left, right] = brood::detail::local_pair();
            int ends[2];
            REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
            one.send(1, std::move(datagrams), std::move(left), descriptor(ends[0]),
                     descriptor(ends[1]), null_device());
            auto taken = co_await other.message<carrying<
                int, udp::socket, asio::local::stream_protocol::socket, asio::readable_pipe,
                asio::writable_pipe, asio::posix::stream_descriptor>>();
            REQUIRE(taken);
            CHECK(taken->object<0>().local_endpoint() == at);
            std::string text = "through";
            co_await asio::async_write(taken->object<3>(), asio::buffer(text), asio::use_awaitable);
            std::string read(text.size(), '\0');
            co_await asio::async_read(taken->object<2>(), asio::buffer(read), asio::use_awaitable);
            CHECK(read == text);
            REQUIRE(::write(right.get(), "local", 5) == 5);
            co_await asio::async_read(taken->object<1>(), asio::buffer(read.data(), 5),
                                      asio::use_awaitable);
            CHECK(read.substr(0, 5) == "local");
        });
}

TEST_WITHIN(10s, "another kind than was asked for is refused and closed", "[attachment]")
{
    auto [one, other] = channel::pair();
    auto before = open_descriptors();
    one.send(1, null_device());
    auto file_as_socket = co_await refused<carrying<int, tcp::socket>>(other);
    CHECK(file_as_socket.code() == brood::errc::wrong_descriptor);
    CHECK_THAT(file_as_socket.what(), ContainsSubstring("descriptor 1 beside a i32"));

    one.send(2, loopback_acceptor());
    auto listener_as_socket = co_await refused<carrying<int, tcp::socket>>(other);
    CHECK(listener_as_socket.code() == brood::errc::wrong_descriptor);

    one.send(3, null_device());
    auto too_many = co_await refused<carrying<int, descriptor, descriptor>>(other);
    CHECK_THAT(too_many.what(), ContainsSubstring("came with 1 descriptors, where 2"));

    one.send(4);
    auto last = co_await other.message<int>();
    CHECK(last == 4);
    auto same = co_await eventually(5s, [&] { return open_descriptors() == before; });
    CHECK(same);
}

TEST_WITHIN(10s, "descriptors are sent without a limit to who reads but says nothing any more",
            "[attachment]")
{
    channel_limits limits;
    limits.max_descriptors = 4;
    auto [one, other] = channel::pair(limits);
    other.disconnect();
    int taken = 0;
    auto take_all = [](channel& from, int& count) -> task<>
    {
        while (auto next = co_await from.message<carrying<int, descriptor>>())
            ++count;
    };
    asio::co_spawn(brood::default_executor(), take_all(other, taken), asio::detached);
    for (int number = 0; number < 20; ++number)
    {
        auto room = one.send(number, null_device());
        if (!room)
            co_await one.drain();
    }
    one.disconnect();
    co_await other.disconnected();
    co_await eventually(5s, [&] { return taken == 20; });

    CHECK(taken == 20);
}

TEST_WITHIN(10s, "an empty descriptor is not sent, and the channel goes on", "[attachment]")
{
    auto [one, other] = channel::pair();
    CHECK_THROWS_AS(one.send(1, descriptor()), std::system_error);

    one.send(2);
    auto next = co_await other.message<int>();

    CHECK(next == 2);
}

TEST_WITHIN(10s, "descriptors that nobody asked for are closed", "[attachment]")
{
    auto [one, other] = channel::pair();
    auto before = open_descriptors();
    one.send(1, null_device(), null_device());
    auto taken = co_await other.message<int>();
    CHECK(taken == 1);
    auto same = co_await eventually(5s, [&] { return open_descriptors() == before; });
    CHECK(same);
}

TEST_WITHIN(20s, "three hundred descriptors ride on one message", "[attachment]")
{
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    auto raised = files;
    raised.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &raised);
    channel_limits limits;
    limits.max_descriptors = 300;
    auto [one, other] = channel::pair(limits);
    one.send(1, null_devices(300));
    one.send(2, null_device());
    auto many = co_await other.message<carrying<int, std::vector<descriptor>>>();
    auto last = co_await other.message<carrying<int, descriptor>>();
    REQUIRE((many && last));
    CHECK(many->object().size() == 300);
    CHECK(std::all_of(many->object().begin(), many->object().end(),
                      [](auto& each) { return ::fcntl(each.get(), F_GETFD) != -1; }));
    CHECK_THROWS_AS(one.send(3, null_devices(301)), brood::error);
    ::setrlimit(RLIMIT_NOFILE, &files);
}

TEST_WITHIN(10s, "what the other side never took comes back in order", "[attachment]")
{
    auto [one, other] = channel::pair();
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    descriptor reading(ends[0]), writing(ends[1]);
    one.send(1, null_device());
    one.send(2, std::move(reading));
    one.send(3, std::move(writing));
    auto first = co_await other.message<carrying<int, descriptor>>();
    CHECK(first);
    co_await brood::sleep(5ms);
    other = channel();
    co_await one.disconnected();
    auto returned = one.undelivered();

    REQUIRE(returned.size() == 2);
    REQUIRE(::write(returned[1].get(), "same", 4) == 4);
    char text[4];
    CHECK(::read(returned[0].get(), text, 4) == 4);
}

TEST_WITHIN(10s, "descriptors that do not fit into the receiver are the sender's again",
            "[attachment]")
{
    auto [one, other] = channel::pair();
    one.send(1, null_device());
    one.send(2);
    co_await one.flush();
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    auto none = before;
    none.rlim_cur = 3;
    ::setrlimit(RLIMIT_NOFILE, &none);
    auto lost = co_await refused<carrying<int, descriptor>>(other);
    ::setrlimit(RLIMIT_NOFILE, &before);

    CHECK(lost.code() == brood::errc::descriptors_lost);
    auto next = co_await other.message<int>();
    CHECK(next == 2);
    std::vector<descriptor> returned;
    auto came = co_await eventually(5s,
                                    [&]
                                    {
                                        returned = one.undelivered();
                                        return !returned.empty();
                                    });
    CHECK(came);
}

TEST_WITHIN(10s, "of three hundred descriptors that do not fit, none stays and the channel goes on",
            "[attachment]")
{
    channel_limits limits;
    limits.max_descriptors = 300;
    auto [one, other] = channel::pair(limits);
    one.send(1, null_devices(300));
    co_await one.flush();
    {
        // The first piece does not fit, the second one does when that is closed.
        lowered_limit few(RLIMIT_NOFILE, 400);
        auto lost = co_await refused<carrying<int, std::vector<descriptor>>>(other);
        CHECK(lost.code() == brood::errc::descriptors_lost);
    }
    co_await brood::sleep(5ms);
    REQUIRE(other.connected());
    CHECK(one.undelivered().size() == 300);
    one.send(2, null_device());
    auto next = co_await other.message<carrying<int, descriptor>>();
    CHECK(next);
}

TEST_WITHIN(10s, "a send that is refused leaves its objects with the caller", "[attachment]")
{
    channel_limits narrow;
    narrow.max_message = 100;
    auto [one, other] = channel::pair(narrow);
    tcp::acceptor acceptor = loopback_acceptor();
    auto file = null_device();
    std::string long_text(200, 'x');
    CHECK_THROWS_AS(one.send(long_text, std::move(acceptor), std::move(file)), brood::error);
    CHECK(acceptor.is_open());
    CHECK(file);
    CHECK_THROWS_AS(one.send(1, std::move(acceptor), descriptor()), std::system_error);
    CHECK(acceptor.is_open());
    one.disconnect();
    CHECK_THROWS_AS(one.send(1, std::move(acceptor), std::move(file)), brood::error);
    CHECK(acceptor.is_open());
    CHECK(file);

    auto none = co_await other.message<int>();
    CHECK_FALSE(none);
}

TEST_WITHIN(10s, "a send for which there is no room for a copy takes none of its objects",
            "[attachment]")
{
    auto [one, other] = channel::pair();
    tcp::acceptor acceptor = loopback_acceptor();
    auto block = brood::shared_bytes::copy_of(std::as_bytes(std::span("text")));
    {
        lowered_limit none(RLIMIT_NOFILE, 3);
        CHECK_THROWS_AS(one.send(1, std::move(acceptor), block), std::system_error);
    }
    CHECK(acceptor.is_open());
    one.send(2);
    auto number = co_await other.message<int>();
    CHECK(number == 2);
}
