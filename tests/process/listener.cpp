// SPDX-License-Identifier: BSL-1.0
#include <brood/process/listener.hpp>

#include <brood/process/fork.hpp>
#include <brood/process/process.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <sys/resource.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::task;

namespace
{

/// This process without a parent.
brood::process alone()
{
    return brood::process(brood::default_executor(), {}, {});
}

/// Accepts one connection, writes to it and closes it.
task<> greet_one(brood::listener listener)
{
    auto connection = co_await listener.accept();
    std::string text = "hello";
    co_await asio::async_write(*connection, asio::buffer(text), asio::use_awaitable);
}

} // namespace

TEST_CASE("without a cluster a process listens for itself, with the same words", "[listener]")
{
    within(10s,
           []() -> task<>
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
           });
}

TEST_CASE("a listener that is closed gives nothing to all who wait", "[listener]")
{
    within(10s,
           []() -> task<>
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
           });
}

TEST_CASE("a local socket is listened on by its path", "[listener]")
{
    within(10s,
           []() -> task<>
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
           });
}

TEST_CASE("datagrams arrive at a bound socket", "[listener]")
{
    within(10s,
           []() -> task<>
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
           });
}

TEST_CASE("with no descriptor left, connections wait and are accepted later", "[listener]")
{
    within(10s,
           []() -> task<>
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
                              [&](std::exception_ptr, auto connection)
                              { accepted = connection.has_value(); });
               co_await brood::sleep(20ms);
               CHECK_FALSE(accepted);

               ::setrlimit(RLIMIT_NOFILE, &before);
               while (!accepted)
                   co_await brood::sleep(1ms);
           });
}
