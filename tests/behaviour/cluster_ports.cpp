// SPDX-License-Identifier: BSL-1.0
// What Node's cluster promises about the addresses that workers share.
#include <brood/cluster/cluster.hpp>

#include <brood/process/detail/process_core.hpp>
#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/ip/udp.hpp>
#include <asio/write.hpp>

#include <cereal/types/vector.hpp>

#include <sys/stat.h>

#include <set>
#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using asio::ip::tcp;
using asio::ip::udp;
using brood::cluster;
using brood::cluster_settings;
using brood::dispatch_policy;
using brood::process;
using brood::task;

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

/// Answers each connection, at an address of IPv6 that takes IPv4 as well.
task<> serve_both(process& self)
{
    tcp::endpoint any(asio::ip::address_v6::any(), 0);
    auto listener = co_await self.listen(any);
    for (;;)
    {
        auto client = co_await listener.accept();
        if (!client)
            break;
        co_await asio::async_write(*client, asio::buffer("hello", 5), asio::use_awaitable);
    }
}

/// The same at one that does not.
task<> serve_v6(process& self)
{
    brood::listen_options options;
    options.v6_only = true;
    tcp::endpoint any(asio::ip::address_v6::any(), 0);
    auto listener = co_await self.listen(any, options);
    co_await self.shutdown();
}

task<> bind_sockets_again(process& self)
{
    udp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto one = co_await self.bind(any);
    auto other = co_await self.bind(any);
    std::vector<std::uint16_t> ports = {one.local_endpoint().port(), other.local_endpoint().port()};
    one.close();
    auto third = co_await self.bind(any);
    ports.push_back(third.local_endpoint().port());
    self.send(ports);
    co_await self.shutdown();
}

/// Binds a socket of its own to a port that it shares, and tells which.
task<> bind_alone(process& self, std::uint16_t port)
{
    brood::listen_options options;
    options.reuse_port = true;
    udp::endpoint here(asio::ip::address_v4::loopback(), port);
    auto one = co_await self.bind(here, options);
    auto other = co_await self.bind(here, options);
    self.send(one.local_endpoint().port());
    self.send(other.local_endpoint().port());
    co_await self.shutdown();
}

/// Takes connections at a port of its own until it is asked to stop.
task<> serve_alone(process& self)
{
    brood::listen_options options;
    options.reuse_port = true;
    tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto listener = co_await self.listen(any, options);
    self.send(listener.local_endpoint().port());
    for (;;)
    {
        auto client = co_await listener.accept();
        if (!client)
            break;
    }
}

task<> bind_only(process& self, bool alone)
{
    brood::listen_options options;
    options.reuse_port = alone;
    udp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto socket = co_await self.bind(any, options);
    co_await self.shutdown();
}

template <class Cluster>
task<std::set<std::string>> addresses_of(Cluster& workers)
{
    std::set<std::string> result;
    for (auto& each : workers.workers())
    {
        auto ready = co_await each.ready();
        REQUIRE(ready);
        result.insert(each.listening_at().at(0));
    }
    co_return result;
}

} // namespace

TEST_WITHIN(20s, "workers that listen for both families report one address, with its real port",
            "[cluster][node-152][node-155][node-157]")
{
    cluster<serve_both> workers(of(3));
    auto addresses = co_await addresses_of(workers);
    REQUIRE(addresses.size() == 1);
    auto port = port_of(*addresses.begin());
    auto answer = co_await ask(port); // by IPv4

    CHECK(port != 0);
    CHECK(answer == "hello");
    co_await workers.stop();
}

TEST_CASE("workers that listen for IPv6 only leave the port free for IPv4, under every policy",
          "[cluster][node-200][node-201]")
{
    for (auto& dispatch : {dispatch_policy::shared(), dispatch_policy::round_robin()})
        within(20s,
               [&]() -> task<>
               {
                   cluster<serve_v6> workers(of(3, dispatch));
                   auto addresses = co_await addresses_of(workers);
                   REQUIRE(addresses.size() == 1);
                   auto executor = co_await asio::this_coro::executor;
                   tcp::endpoint here(tcp::v4(), port_of(*addresses.begin()));
                   tcp::acceptor ours(executor, here); // throws when it is taken

                   CHECK(ours.is_open());
                   co_await workers.stop();
               });
}

TEST_WITHIN(20s, "a worker has several sockets for datagrams, and may open one again",
            "[cluster][node-122]")
{
    cluster<bind_sockets_again> workers(of(1));
    auto ports = co_await workers.message<std::vector<std::uint16_t>>();
    REQUIRE((ports && ports->message.size() == 3));
    auto& numbers = ports->message;

    CHECK(numbers[0] != 0);
    CHECK(numbers[0] != numbers[1]);
    CHECK(numbers[2] != numbers[1]);
    co_await workers.stop();
}

TEST_WITHIN(20s, "workers bind sockets of their own to a port that they share, without the primary",
            "[cluster][node-130][node-131]")
{
    auto self = brood::detail::process_core::make(brood::default_executor(), {}, {});
    brood::listen_options options;
    options.reuse_port = true;
    udp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto ours = co_await self.bind(any, options);
    auto port = ours.local_endpoint().port();
    cluster<bind_alone> workers(of(2), port);
    for (int count = 0; count < 4; ++count)
    {
        auto bound = co_await workers.message<std::uint16_t>();
        REQUIRE(bound);
        CHECK(bound->message == port);
        CHECK(bound->from.listening_at().empty()); // the primary was not asked
    }
    co_await workers.stop();
}

TEST_WITHIN(20s, "a listener with a port of its own is not asked of the primary",
            "[cluster][node-158]")
{
    cluster<[](process& self) -> task<>
            {
                brood::listen_options options;
                options.reuse_port = true;
                tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
                auto listener = co_await self.listen(any, options);
                self.send(listener.local_endpoint().port());
                co_await self.shutdown();
            }>
        workers(of(1));
    auto port = co_await workers.message<std::uint16_t>();
    REQUIRE(port);
    CHECK(port->message != 0);
    CHECK(port->from.listening_at().empty());
    co_await workers.stop();
}

TEST_WITHIN(20s, "a listener with a port of its own makes ready, counts, and closes as any other",
            "[cluster]")
{
    cluster_settings settings;
    settings.size = 1; // with half a minute to drain
    settings.recycle.max_connections = 1;
    settings.recycle.min_lifetime = 0ms;
    cluster<serve_alone> workers(settings);
    auto is_ready = co_await workers.ready();
    CHECK(is_ready);
    auto port = co_await workers.message<std::uint16_t>();
    REQUIRE(port);
    auto begun = clock::now();
    auto client = co_await connect_to(port->message);
    auto ended = co_await port->from.exit();
    co_await workers.stop();

    CHECK(ended.cause == brood::exit_cause::recycled);
    CHECK(ended.status.success());
    CHECK(clock::now() - begun < patient(10s));
}

TEST_WITHIN(20s, "a worker that binds for datagrams is ready", "[cluster]")
{
    for (bool alone : {false, true})
    {
        cluster<bind_only> workers(of(1), alone);
        auto is_ready = co_await workers.ready();
        CHECK(is_ready);
        co_await workers.stop();
    }
}

TEST_WITHIN(20s, "the mode of a local socket is what the worker asked for", "[cluster][node-151]")
{
    temporary_directory folder;
    auto path = (folder.path() / "socket").string();
    cluster<[](process& self, std::string at) -> task<>
            {
                brood::listen_options options;
                options.mode = 0777;
                asio::local::stream_protocol::endpoint here(at);
                auto listener = co_await self.listen(here, options);
                co_await self.shutdown();
            }>
        workers(of(1), path);
    co_await workers.ready();
    struct stat about = {};

    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0777);
    co_await workers.stop();
}

TEST_WITHIN(20s, "a worker that cannot bind tells so and ends, and one without sockets may leave",
            "[cluster][node-137][node-186]")
{
    auto executor = co_await asio::this_coro::executor;
    tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    tcp::acceptor taken(executor, any);
    cluster<[](process& self, std::uint16_t port) -> task<>
            {
                if (self.worker_slot() == 1)
                {
                    self.ready();
                    co_return; // has no socket
                }
                asio::ip::tcp::endpoint at(asio::ip::address_v4::loopback(), port);
                try
                {
                    auto listener = co_await self.listen(at);
                }
                catch (const std::system_error& refused)
                {
                    auto in_use = refused.code() == std::errc::address_in_use;
                    self.exit_code(in_use ? 40 : 41);
                }
            }>
        workers(of(2), taken.local_endpoint().port());
    std::multiset<int> codes;
    for (;;)
    {
        auto ended = co_await workers.exit();
        if (!ended)
            break;
        codes.insert(ended->status.code);
    }

    CHECK(codes == std::multiset<int>{0, 40});
}
