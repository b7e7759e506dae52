// SPDX-License-Identifier: BSL-1.0
// What Node promises about forked children: arguments, streams, channel, sockets and limits.
#include <brood/process/detail/process_core.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/process_table.hpp"
#include "support/within.hpp"

#include <asio/ip/udp.hpp>

#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::process;
using brood::spawn_options;
using brood::stdio;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

struct rich
{
    std::map<std::string, std::vector<double>> numbers;
    std::vector<unsigned char> blob;
    std::uint64_t big = 0;
    std::shared_ptr<std::string> here, there; // one text, seen from two sides

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(numbers, blob, big, here, there);
    }
};

task<> echo_rich(process& self)
{
    auto value = co_await self.message<rich>();
    if (value)
        self.send(*value);
}

task<> returns_at_once(process&)
{
    co_return;
}

task<> ignores_its_parent(process&)
{
    co_await brood::sleep(1h);
}

/// Prints to both streams, and answers over the channel.
task<> prints(process& self)
{
    std::puts("to stdout");
    std::fputs("to stderr\n", stderr);
    std::fflush(nullptr);
    auto text = co_await self.message<std::string>();
    if (text)
        self.send(*text);
    co_await self.shutdown();
}

/// The pid of a child that is to live on, and then nothing until somebody kills this process.
task<> detaches_a_child(process& self)
{
    spawn_options options;
    options.on_drop = brood::on_drop::detach;
    auto executor = brood::default_executor();
    auto child = brood::fork_with<ignores_its_parent>(executor, options);
    child.detach();
    self.send(child.pid());
    co_await brood::sleep(1h);
}

/// Forks one that forks one …, and ends when that has ended.
task<> link_of_a_chain(process& self, int more)
{
    if (more > 0)
    {
        auto next = brood::fork<link_of_a_chain>(more - 1);
        auto below = co_await next.message<int>();
        co_await next.exit();
        self.send(below.value_or(-100) + 1);
    }
    else
        self.send(1);
}

task<> listens_beside_us(process& self, std::uint16_t port)
{
    brood::listen_options options;
    options.reuse_port = true;
    asio::ip::tcp::endpoint here(asio::ip::address_v4::loopback(), port);
    auto listener = co_await self.listen(here, options);
    self.send(listener.local_endpoint().port());
    co_await self.shutdown();
}

task<> receives_beside_us(process& self, std::uint16_t port)
{
    brood::listen_options options;
    options.reuse_port = true;
    asio::ip::udp::endpoint here(asio::ip::address_v4::loopback(), port);
    auto socket = co_await self.bind(here, options);
    self.send(socket.local_endpoint().port());
    co_await self.shutdown();
}

/// Asks late for what has come, and lets go in the middle of it.
task<> lets_go_half_way(process& self)
{
    auto more = co_await self.readable();
    for (int count = 0; more && count < 3; ++count)
        co_await self.message<std::string>();
    self.disconnect();
}

task<> closes_its_streams(process& self)
{
    ::close(0);
    ::close(1);
    ::close(2);
    self.send(std::string("still there"));
    co_await self.shutdown();
}

} // namespace

TEST_WITHIN(20s, "maps, blobs, large numbers and one value seen twice survive an echo", "[node-3]")
{
    rich sent;
    sent.numbers = {{"pi", {3, .14, 15}}, {"", {}}};
    sent.blob = {0, 255, 10, 0};
    sent.big = ~std::uint64_t{0};
    sent.here = sent.there = std::make_shared<std::string>("one text");
    auto child = brood::fork<echo_rich>();
    child.send(sent);
    auto received = co_await child.message<rich>();

    REQUIRE(received);
    CHECK(received->numbers == sent.numbers);
    CHECK(received->blob == sent.blob);
    CHECK(received->big == sent.big);
    CHECK(*received->here == "one text");
    CHECK(received->here == received->there);
}

TEST_WITHIN(20s, "arguments may be left out, empty or given, and options apply all the same",
            "[node-38]")
{
    spawn_options options;
    options.stdout_ = stdio::pipe();
    auto none = brood::fork("/bin/pwd", {}, options);
    options.cwd = "/";
    auto elsewhere = brood::fork("/bin/pwd", {}, options);
    auto given = brood::fork("/bin/echo", {"a", "", "b"}, options);
    auto here = co_await none.out().read_line();
    auto root = co_await elsewhere.out().read_line();
    auto words = co_await given.out().read_line();

    CHECK(here == std::filesystem::current_path().string());
    CHECK(root == "/");
    CHECK(words == "a  b");
    auto plain = brood::fork("/bin/true");
    auto status = co_await plain.exit();
    CHECK(status.success());
}

TEST_WITHIN(20s, "a detached child outlives its parent, which is killed", "[node-41]")
{
    auto parent = brood::fork<detaches_a_child>();
    auto pid = co_await parent.message<pid_t>();
    REQUIRE(pid);
    parent.kill(SIGKILL);
    co_await parent.exit();

    CHECK_FALSE(gone(*pid));
    ::kill(*pid, SIGKILL);
    auto is_gone = co_await eventually(10s, [&] { return gone(*pid); });
    CHECK(is_gone);
}

TEST_WITHIN(20s, "the channel works wherever the standard streams lead", "[node-52][node-78]")
{
    for (auto where : {stdio::pipe(), stdio::ignore(), stdio::write("/dev/null")})
    {
        spawn_options options;
        options.stdin_ = stdio::ignore();
        options.stdout_ = options.stderr_ = where;
        auto executor = brood::default_executor();
        auto child = brood::fork_with<prints>(executor, options);
        std::string said = "hello";
        child.send(said);
        auto answer = co_await child.message<std::string>();
        CHECK(answer == said);
        if (where.what() == stdio::kind::pipe) // caught, and not shown
        {
            auto out = co_await child.out().read_line();
            auto err = co_await child.err().read_line();
            CHECK(out == "to stdout");
            CHECK(err == "to stderr");
        }
        child.disconnect();
        auto status = co_await child.exit();
        CHECK(status.success());
    }
}

TEST_WITHIN(20s, "a time limit ends a forked child by SIGTERM, or by the signal that was chosen",
            "[node-54]")
{
    for (int signal : {SIGTERM, SIGINT})
    {
        spawn_options options;
        options.timeout = 50ms;
        if (signal == SIGINT)
            options.stop = brood::stop_policy(5s, SIGINT);
        auto executor = brood::default_executor();
        auto child = brood::fork(executor, "/bin/sleep", {"1000"}, options);
        auto status = co_await child.exit();
        CHECK(status.signal == signal);
    }
}

TEST_WITHIN(20s, "a forked child that ignores its channel ends, and so does its parent",
            "[node-57]")
{
    auto child = brood::fork<returns_at_once>();
    auto status = co_await child.exit();
    auto closed = co_await child.closed();
    CHECK(status.success());
    CHECK(closed == status);
}

TEST_WITHIN(20s, "children listen on our port beside us when all want to share it", "[node-63]")
{
    auto self = brood::detail::process_core::make(brood::default_executor(), {}, {});
    brood::listen_options options;
    options.reuse_port = true;
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto ours = co_await self.listen(any, options);
    auto port = ours.local_endpoint().port();
    auto one = brood::fork<listens_beside_us>(port);
    auto two = brood::fork<listens_beside_us>(port);
    auto first = co_await one.message<std::uint16_t>();
    auto second = co_await two.message<std::uint16_t>();

    CHECK(first == port);
    CHECK(second == port);
}

TEST_WITHIN(20s, "children receive datagrams on our port beside us", "[node-11]")
{
    auto self = brood::detail::process_core::make(brood::default_executor(), {}, {});
    brood::listen_options options;
    options.reuse_port = true;
    asio::ip::udp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto ours = co_await self.bind(any, options);
    auto port = ours.local_endpoint().port();
    auto one = brood::fork<receives_beside_us>(port);
    auto two = brood::fork<receives_beside_us>(port);
    auto first = co_await one.message<std::uint16_t>();
    auto second = co_await two.message<std::uint16_t>();

    CHECK(first == port);
    CHECK(second == port);
}

TEST_WITHIN(20s, "a chain of five processes, each waiting for its own child, ends", "[node-113]")
{
    auto first = brood::fork<link_of_a_chain>(4);
    auto length = co_await first.message<int>();
    auto status = co_await first.exit();

    CHECK(length == 5);
    CHECK(status.success());
}

TEST_WITHIN(20s, "a child that closes its standard streams still talks over its channel",
            "[node-217]")
{
    auto child = brood::fork<closes_its_streams>();
    auto text = co_await child.message<std::string>();
    CHECK(text == "still there");
    child.disconnect();
    auto status = co_await child.exit();
    CHECK(status.success());
}

TEST_CASE("a child that lets go of its channel in the middle of what has come ends with 0",
          "[node-B9]")
{
    for (int round = 0; round < 20; ++round)
        within(20s,
               []() -> task<>
               {
                   auto child = brood::fork<lets_go_half_way>();
                   std::string text(1000, 't');
                   for (int count = 0; count < 10; ++count)
                       child.send(text);
                   auto end = co_await child.message<int>();
                   auto status = co_await child.exit();

                   CHECK_FALSE(end);
                   CHECK(status.success());
               });
}
