// SPDX-License-Identifier: BSL-1.0
// What Node's cluster promises about the sockets of one worker: those it is refused, those it
// closes, those it is sent.
#include <brood/cluster/cluster.hpp>

#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/descriptors.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/ip/udp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <netinet/tcp.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

using namespace std::chrono_literals;
using namespace brood::test;
using asio::ip::tcp;
using asio::ip::udp;
using brood::cluster;
using brood::cluster_settings;
using brood::dispatch_policy;
using brood::process;
using brood::task;
using local = asio::local::stream_protocol;

namespace
{

cluster_settings of(std::size_t size, const dispatch_policy& dispatch = {})
{
    cluster_settings settings;
    settings.size = size;
    settings.dispatch = dispatch;
    settings.restart.when = brood::restart::temporary;
    return settings;
}

const dispatch_policy& policy(bool hands_over)
{
    static const auto shared = dispatch_policy::shared(), turns = dispatch_policy::round_robin();
    return hands_over ? turns : shared;
}

/// Why the worker cannot listen at this endpoint; 0 when it can.
template <class Endpoint>
task<int> reason_of(process& self, Endpoint at)
{
    try
    {
        co_await self.listen(at);
    }
    catch (const std::system_error& refused)
    {
        co_return refused.code().value();
    }
    co_return 0;
}

task<> listen_where_it_must_not(process& self, std::string path, std::uint16_t port)
{
    co_await self.message<int>();
    auto reason = co_await reason_of(self, local::endpoint(path));
    self.send(reason);
    reason = co_await reason_of(self, tcp::endpoint(asio::ip::address_v4::loopback(), port));
    self.send(reason);
    co_await self.shutdown();
}

/// The first port below 1024 that the system keeps for root; 0 when there is none.
std::uint16_t privileged_port()
{
    int first_free = 1024;
    std::ifstream("/proc/sys/net/ipv4/ip_unprivileged_port_start") >> first_free;
    return first_free > 81 ? std::uint16_t{81} : std::uint16_t{0};
}

/// A primary that is nobody, in a process of its own: what is refused to it, is to its workers.
task<> run_as_nobody(process& self, std::string path, std::uint16_t port, bool hands_over)
{
    cluster<listen_where_it_must_not> workers(of(1, policy(hands_over)), path, port);
    auto only = workers.workers().at(0);
    co_await only.ready();
    constexpr uid_t nobody = 65'534;
    if (::geteuid() == 0 && ::seteuid(nobody) != 0)
        throw std::system_error(errno, std::system_category(), "become nobody");
    only.send(0);
    for (int answer = 0; answer < 2; ++answer)
    {
        auto reason = co_await only.message<int>();
        self.send(reason.value_or(-1));
    }
    if (::geteuid() == nobody && ::seteuid(0) != 0)
        throw std::system_error(errno, std::system_category(), "become root again");
    co_await workers.stop();
}

/// Binds the same port for IPv6 alone and for IPv4.
task<> bind_both(process& self)
{
    brood::listen_options options;
    options.v6_only = true;
    udp::endpoint v6(asio::ip::address_v6::any(), 0);
    auto one = co_await self.bind(v6, options);
    udp::endpoint v4(asio::ip::address_v4::any(), one.local_endpoint().port());
    auto other = co_await self.bind(v4);
    self.send(other.local_endpoint().port() == one.local_endpoint().port());
    co_await self.shutdown();
}

template <class Socket>
task<> answer_as_http(Socket& client)
{
    std::string request;
    auto into = asio::dynamic_buffer(request);
    co_await asio::async_read_until(client, into, "\r\n\r\n", asio::use_awaitable);
    std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    co_await asio::async_write(client, asio::buffer(answer), asio::use_awaitable);
}

task<> serve_http_locally(process& self, std::string path)
{
    auto listener = co_await self.listen(local::endpoint(path));
    for (;;)
    {
        auto client = co_await listener.accept();
        if (!client)
            break;
        co_await answer_as_http(*client);
    }
}

task<> serve_http_on_what_comes(process& self)
{
    for (;;)
    {
        auto taken = co_await self.message<brood::carrying<int, tcp::socket>>();
        if (!taken)
            break;
        co_await answer_as_http(taken->object());
    }
}

/// What comes after an HTTP request.
template <class Socket>
task<std::string> http_answer(Socket& server)
{
    std::string text = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
    co_await asio::async_write(server, asio::buffer(text), asio::use_awaitable);
    text.clear();
    auto into = asio::dynamic_buffer(text);
    co_await asio::async_read_until(server, into, "hello", asio::use_awaitable);
    co_return text;
}

task<> listen_with_backlog(process& self, int backlog)
{
    brood::listen_options options;
    options.backlog = backlog;
    tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto listener = co_await self.listen(any, options);
    co_await self.shutdown();
}

/// The longest backlog of the socket of this process that listens at this port.
int backlog_at(std::uint16_t port)
{
    for (auto& [number, target] : open_descriptors())
    {
        sockaddr_in address = {};
        socklen_t size = sizeof address;
        tcp_info info = {};
        socklen_t info_size = sizeof info;
        if (::getsockname(number, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
            address.sin_family == AF_INET && ntohs(address.sin_port) == port &&
            ::getsockopt(number, IPPROTO_TCP, TCP_INFO, &info, &info_size) == 0 &&
            info.tcpi_state == TCP_LISTEN)
            return static_cast<int>(info.tcpi_sacked); // its meaning for a socket that listens
    }
    return -1;
}

task<> bind_what_is_taken(process& self, std::uint16_t port)
{
    int reason = 0;
    try
    {
        udp::endpoint taken(asio::ip::address_v4::loopback(), port);
        co_await self.bind(taken);
    }
    catch (const std::system_error& refused)
    {
        reason = refused.code().value();
    }
    self.send(reason);
    udp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto other = co_await self.bind(any);
    self.send(static_cast<int>(other.local_endpoint().port()));
    other.close();
}

task<> bind_and_close_at_once(process& self)
{
    self.ready();
    udp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto bound = co_await self.bind(any);
    bound.close();
}

task<> stop_listening_when_cancelled(process& self, bool before)
{
    auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal cancel;
    std::uint16_t port = 0;
    bool cancelled = false;
    auto serve = [](process& by, bool early, std::uint16_t& told) -> task<>
    {
        if (early)
        {
            // Cancelled by now: the next await throws.
            co_await brood::sleep(0ms);
        }
        auto listener = co_await by.listen(0);
        told = listener.local_endpoint().port();
        co_await listener.accept();
    };
    asio::co_spawn(executor, serve(self, before, port),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr thrown)
                                                { cancelled = thrown != nullptr; }));
    while (!before && port == 0)
        co_await brood::sleep(1ms);
    cancel.emit(asio::cancellation_type::terminal);
    while (!cancelled)
        co_await brood::sleep(1ms);
    self.send(static_cast<int>(port));
    co_await self.shutdown();
}

} // namespace

TEST_CASE("a worker learns why it may not listen, under every policy",
          "[cluster][node-119][node-180]")
{
    auto port = privileged_port();
    for (bool hands_over : {false, true})
        within(20s,
               [=]() -> task<>
               {
                   temporary_directory folder; // which is its owner's alone
                   namespace fs = std::filesystem;
                   fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
                   auto path = (folder.path() / "socket").string();
                   auto primary = brood::fork<run_as_nobody>(path, port, hands_over);
                   auto reason = co_await primary.message<int>();
                   CHECK(reason == EACCES);
                   reason = co_await primary.message<int>();
                   CHECK(reason == (port != 0 ? EACCES : 0));
                   auto status = co_await primary.exit();
                   CHECK(status.success());
                   fs::permissions(folder.path(), fs::perms::owner_all);
               });
}

TEST_WITHIN(20s, "a worker receives datagrams at one port by IPv6 alone and by IPv4",
            "[cluster][node-129]")
{
    cluster<bind_both> workers(of(1));
    auto same = co_await workers.message<bool>();
    REQUIRE(same);
    CHECK(same->message);
    co_await workers.stop();
}

TEST_WITHIN(20s, "a worker answers HTTP at a local socket", "[cluster][node-146]")
{
    temporary_directory folder;
    auto path = (folder.path() / "socket").string();
    cluster<serve_http_locally> workers(of(1), path);
    co_await workers.ready();
    local::socket server(brood::default_executor());
    local::endpoint at(path);
    co_await server.async_connect(at, asio::use_awaitable);
    auto answer = co_await http_answer(server);
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    co_await workers.stop();
}

TEST_WITHIN(20s, "a worker answers HTTP on a connection that it was sent", "[cluster][node-171]")
{
    cluster<serve_http_on_what_comes> workers(of(1));
    auto executor = brood::default_executor();
    tcp::acceptor acceptor(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    auto client = co_await connect_to(acceptor.local_endpoint().port());
    auto accepted = co_await acceptor.async_accept(asio::use_awaitable);
    workers.workers().at(0).send(0, std::move(accepted));
    auto answer = co_await http_answer(client);
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    co_await workers.stop();
}

TEST_CASE("the primary listens with the backlog that a worker asked for", "[cluster][node-154]")
{
    for (bool hands_over : {false, true})
        within(20s,
               [=]() -> task<>
               {
                   cluster<listen_with_backlog> workers(of(2, policy(hands_over)), 17);
                   co_await workers.ready();
                   auto port = workers.workers().at(0).port();
                   CHECK(backlog_at(port) == 17);
                   co_await workers.stop();
               });
}

TEST_WITHIN(20s, "a worker that cannot bind for datagrams learns why, and binds elsewhere",
            "[cluster][node-233]")
{
    auto executor = brood::default_executor();
    udp::socket ours(executor, udp::endpoint(asio::ip::address_v4::loopback(), 0));
    cluster<bind_what_is_taken> workers(of(1), ours.local_endpoint().port());
    auto only = workers.workers().at(0);
    auto reason = co_await only.message<int>();
    CHECK(reason == EADDRINUSE);
    auto port = co_await only.message<int>();
    CHECK(port > 0);
    auto ended = co_await workers.exit();
    REQUIRE(ended);
    CHECK(ended->status.code == 0);
}

TEST_WITHIN(20s, "workers close what they have just bound", "[cluster][node-235]")
{
    cluster<bind_and_close_at_once> workers(of(3));
    for (int count = 0; count < 3; ++count)
    {
        auto ended = co_await workers.exit();
        REQUIRE(ended);
        CHECK_FALSE(ended->failed());
    }
}

TEST_CASE("a coroutine that listens is cancelled, and its port is free again",
          "[cluster][node-238]")
{
    for (bool before : {false, true})
        within(20s,
               [=]() -> task<>
               {
                   auto child = brood::fork<stop_listening_when_cancelled>(before);
                   auto port = co_await child.message<int>();
                   REQUIRE(port);
                   CHECK((*port == 0) == before);
                   if (*port != 0)
                   {
                       tcp::endpoint any(tcp::v6(), static_cast<std::uint16_t>(*port));
                       tcp::acceptor again(brood::default_executor(), any);
                       CHECK(again.is_open());
                   }
                   child.disconnect();
                   co_await child.exit();
               });
}
