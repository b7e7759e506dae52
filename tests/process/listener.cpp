// SPDX-License-Identifier: BSL-1.0
#include <brood/process/listener.hpp>

#include <brood/base/detail/asio.hpp>
#include <brood/process/detail/primary_link.hpp>
#include <brood/process/detail/process_core.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/process.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/ip/udp.hpp>
#include <asio/write.hpp>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;
using namespace brood::test;
using brood::task;

namespace
{

/// This process without a parent.
brood::process alone()
{
    return brood::detail::process_core::make(brood::default_executor(), {}, {});
}

/// Tells what accept() throws in a sandbox that refuses it.
task<> accept_in_a_sandbox(brood::process& self)
{
    constexpr auto number = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_accept4, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
    auto listener = co_await self.listen(0);
    auto client = co_await connect_to(listener.local_endpoint().port());
    int reason = 0;
    try
    {
        co_await listener.accept();
    }
    catch (const std::system_error& refused)
    {
        reason = refused.code().value();
    }
    self.send(reason);
}

/// A worker of a primary that is played by the test.
struct both_sides
{
    explicit both_sides(asio::any_io_executor executor)
    {
        auto [one, other] = brood::detail::local_pair();
        auto open = [&](brood::descriptor socket)
        {
            auto made = std::make_shared<brood::detail::link>(executor, std::move(socket),
                                                              "the other", brood::channel_limits());
            made->open();
            return made;
        };
        primary = open(std::move(one));
        to = open(std::move(other));
        stop = std::make_shared<brood::detail::stop_request>(executor);
        worker = std::make_shared<brood::detail::primary_link>(
            to, brood::detail::worker_identity{1, 0}, stop);
        worker->begin();
    }

    std::shared_ptr<brood::detail::link> primary, to;
    std::shared_ptr<brood::detail::stop_request> stop;
    std::shared_ptr<brood::detail::primary_link> worker;
};

/// Accepts one connection, writes to it and closes it.
task<> greet_one(brood::listener listener)
{
    auto connection = co_await listener.accept();
    std::string text = "hello";
    co_await asio::async_write(*connection, asio::buffer(text), asio::use_awaitable);
}

} // namespace

TEST_WITHIN(10s, "without a cluster a process listens for itself, with the same words",
            "[listener]")
{
    auto self = alone();
    auto listener = co_await self.listen(0);
    auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, greet_one(listener), asio::detached);

    auto answer = co_await ask(listener.local_endpoint().port());
    CHECK(answer == "hello");
    CHECK_FALSE(self.is_worker());
    CHECK(self.is_primary());
    CHECK(self.worker_id() == 0);
}

TEST_WITHIN(10s, "a listener that is closed gives nothing to all who wait", "[listener]")
{
    auto self = alone();
    auto listener = co_await self.listen(0);
    auto executor = co_await asio::this_coro::executor;
    int ended = 0;
    auto count = [&](std::exception_ptr, auto connection)
    {
        ended += !connection;
    };
    for (int waiting = 0; waiting < 3; ++waiting)
    {
        auto accepting = listener.accept();
        asio::co_spawn(executor, std::move(accepting), count);
    }
    co_await brood::sleep(1ms);
    CHECK(ended == 0);

    listener.close();
    auto none = co_await listener.accept();
    CHECK_FALSE(none);
    while (ended < 3)
        co_await brood::sleep(1ms);
}

TEST_WITHIN(10s, "a wait for a connection that loses against another loses no connection",
            "[listener]")
{
    auto self = alone();
    auto listener = co_await self.listen(0);
    auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::endpoint at(asio::ip::address_v4::loopback(), listener.local_endpoint().port());
    asio::ip::tcp::socket client(executor);
    asio::steady_timer other(executor, 1h), soon(executor, 5ms);
    soon.async_wait(
        [&](std::error_code)
        {
            client.connect(at);
            other.cancel();
        });
    auto wait = [&]() -> task<>
    {
        co_await other.async_wait(brood::detail::use_tuple);
    };
    auto waiting = wait();
    auto first = co_await (listener.accept() || std::move(waiting));
    CHECK(first.index() == 1);

    auto second = co_await (listener.accept() || brood::sleep(1s));
    CHECK(second.index() == 0);
}

TEST_WITHIN(10s, "a local socket is listened on by its path", "[listener]")
{
    temporary_directory folder;
    asio::local::stream_protocol::endpoint at((folder.path() / "socket").string());
    auto self = alone();
    auto listener = co_await self.listen(at);
    auto executor = co_await asio::this_coro::executor;
    asio::local::stream_protocol::socket client(executor);
    co_await client.async_connect(at, asio::use_awaitable);
    auto connection = co_await listener.accept();

    REQUIRE(connection);
    CHECK(listener.local_endpoint() == at);

    auto copy = listener; // for the same listener
    listener.close();
    auto none = co_await copy.accept();
    CHECK_FALSE(none);
    std::error_code refused;
    client.close();
    client.connect(at, refused);
    CHECK(refused);
}

TEST_WITHIN(10s, "the file of a local socket stays when another server has put its own there",
            "[listener]")
{
    temporary_directory folder;
    asio::local::stream_protocol::endpoint at((folder.path() / "socket").string());
    auto self = alone();
    auto first = co_await self.listen(at);
    std::filesystem::remove(at.path());
    auto second = co_await self.listen(at);
    first.close();
    CHECK(std::filesystem::exists(at.path()));
    second.close();
    CHECK_FALSE(std::filesystem::exists(at.path()));
}

TEST_WITHIN(10s, "who waits for a listener when the primary goes gets one that is closed",
            "[listener]")
{
    auto executor = co_await asio::this_coro::executor;
    both_sides sides(executor);
    send_control(*sides.primary, brood::detail::drain_request()); // else the end ends this process
    auto asked = co_await eventually(5s, [&] { return sides.stop->asked(); });
    REQUIRE(asked);
    asio::ip::tcp::endpoint at(asio::ip::address_v4::loopback(), 0);
    auto wanted = brood::detail::to_listen_request(at, {});
    auto listening = brood::detail::primary_link::listen(sides.worker, wanted);
    std::shared_ptr<brood::detail::listener_core> closed;
    asio::co_spawn(executor, std::move(listening),
                   [&](std::exception_ptr, auto listener) { closed = std::move(listener); });
    asio::ip::udp::endpoint here(asio::ip::address_v4::loopback(), 0);
    auto binding =
        brood::detail::primary_link::bind(sides.worker, brood::detail::to_listen_request(here, {}));
    std::exception_ptr refused;
    asio::co_spawn(executor, std::move(binding),
                   [&](std::exception_ptr thrown, brood::descriptor) { refused = thrown; });
    co_await brood::sleep(1ms);
    CHECK_FALSE(closed);
    sides.primary->abandon();

    auto told = co_await eventually(5s, [&] { return closed && refused; });
    REQUIRE(told);
    auto none = co_await brood::detail::listener_core::next(closed);
    CHECK_FALSE(none);
    CHECK_THROWS_AS(std::rethrow_exception(refused), std::system_error);
}

TEST_WITHIN(10s, "a worker asks for a successor with the last connection that it may take",
            "[listener]")
{
    using namespace brood::detail;
    auto executor = co_await asio::this_coro::executor;
    both_sides sides(executor);
    auto connections = std::make_shared<listener_core>(executor, socket_address());
    sides.worker->attend(connections);
    for (int count = 0; count < 3; ++count)
        connections->hand_over(brood::descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
    send_control(*sides.primary, recycle_request{2});
    send_control(*sides.primary, drain_request{true}); // with which it has read the other
    auto asked = co_await eventually(5s, [&] { return sides.stop->asked(); });
    REQUIRE(asked);

    co_await listener_core::next(connections);
    sides.worker->ready();
    co_await listener_core::next(connections);
    sides.worker->give_up("for the order");
    for (std::size_t expected : {0U, 1U, 2U, 3U})
    {
        auto word =
            co_await next_control<online_notice, ready_notice, recycle_notice, give_up_notice>(
                sides.primary);
        REQUIRE(word);
        CHECK(word->index() == expected);
    }
    co_await listener_core::next(connections);
    sides.primary->abandon();
    co_await link::disconnected(sides.to);
}

TEST_WITHIN(10s, "nobody connects to a port that is closed, and another server has it then",
            "[listener]")
{
    auto self = alone();
    auto listener = co_await self.listen(0);
    auto port = listener.local_endpoint().port();
    CHECK(port != 0);
    listener.close();
    listener.close();
    auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::socket client(executor);
    std::error_code refused;
    client.connect({asio::ip::address_v4::loopback(), port}, refused);
    CHECK(refused == asio::error::connection_refused);
    auto other = co_await self.listen(port);
    CHECK(other.local_endpoint().port() == port);
}

TEST_WITHIN(10s, "datagrams arrive at a bound socket", "[listener]")
{
    auto self = alone();
    asio::ip::udp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto socket = co_await self.bind(any);
    auto executor = co_await asio::this_coro::executor;
    asio::ip::udp::socket client(executor, asio::ip::udp::v4());
    client.send_to(asio::buffer("ping", 4), socket.local_endpoint());
    char bytes[16];
    auto into = asio::buffer(bytes);
    auto count = co_await socket.async_receive(into, asio::use_awaitable);

    CHECK(std::string(bytes, count) == "ping");
}

TEST_WITHIN(20s, "who may not accept is told so, and does not spin", "[listener]")
{
    brood::spawn_options options;
    options.timeout = 5s;
    options.stop = brood::stop_policy(1s);
    auto child = brood::fork_with<accept_in_a_sandbox>(brood::default_executor(), options);
    auto reason = co_await child.message<int>();
    auto status = co_await child.exit();

    CHECK(reason.value_or(0) == EACCES);
    CHECK(status.success());
}

TEST_WITHIN(10s, "with no descriptor left, connections wait and are accepted later", "[listener]")
{
    auto self = alone();
    auto listener = co_await self.listen(0);
    auto client = co_await connect_to(listener.local_endpoint().port());
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = 3;
    ::setrlimit(RLIMIT_NOFILE, &none);
    auto executor = co_await asio::this_coro::executor;
    bool accepted = false;
    auto accepting = listener.accept();
    asio::co_spawn(executor, std::move(accepting),
                   [&](std::exception_ptr, auto connection) { accepted = connection.has_value(); });
    co_await brood::sleep(20ms);
    CHECK_FALSE(accepted);

    ::setrlimit(RLIMIT_NOFILE, &before);
    while (!accepted)
        co_await brood::sleep(1ms);
}

TEST_WITHIN(10s, "listening with a descriptor that does not listen is refused with the reason",
            "[listener]")
{
    auto self = alone();
    auto reason = [&self](brood::descriptor what)
    {
        try
        {
            auto listening = self.listen(std::move(what));
        }
        catch (const std::system_error& refused)
        {
            return refused.code();
        }
        return std::error_code();
    };
    brood::descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    brood::descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));

    CHECK(reason(std::move(socket)) == std::errc::invalid_argument);
    CHECK(reason(std::move(file)) == std::errc::not_a_socket);
    CHECK(reason({}) == std::errc::bad_file_descriptor);
    co_return;
}
