// SPDX-License-Identifier: BSL-1.0
#include <brood/process/detail/activation_sockets.hpp>

#include <brood/cluster/cluster.hpp>
#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/ip/v6_only.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

using namespace std::chrono_literals;
using namespace brood::test;
using asio::ip::tcp;
using brood::process;
using brood::task;
using Catch::Matchers::ContainsSubstring;
using local = asio::local::stream_protocol;

namespace
{

/// What a service manager would have set: it knows the pid before the program starts.
void say_that_they_are_ours()
{
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
}

template <class Listener>
task<> greet_one(Listener from)
{
    auto client = co_await from.accept();
    if (client)
        co_await asio::async_write(*client, asio::buffer("hello", 5), asio::use_awaitable);
}

task<> serve_alone(process& self, std::uint16_t port)
{
    say_that_they_are_ours();
    auto listener = co_await self.listen(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    if (std::getenv("LISTEN_FDS") != nullptr)
        throw std::logic_error("our children would take them for theirs");
    self.send(0);
    co_await greet_one(std::move(listener));
}

task<> serve_at_any_address(process& self, std::uint16_t port)
{
    say_that_they_are_ours();
    auto listener = co_await self.listen(port);
    self.send(0);
    co_await greet_one(std::move(listener));
}

task<> serve_local(process& self, std::string path)
{
    say_that_they_are_ours();
    auto listener = co_await self.listen(local::endpoint(path));
    self.send(0);
    co_await greet_one(std::move(listener));
}

task<> work(process& self, std::uint16_t port)
{
    auto listener = co_await self.listen(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    for (;;)
    {
        auto client = co_await listener.accept();
        if (!client)
            co_return;
        co_await asio::async_write(*client, asio::buffer("hello", 5), asio::use_awaitable);
    }
}

task<> serve_by_workers(process& self, std::uint16_t port)
{
    say_that_they_are_ours();
    brood::cluster_settings settings;
    settings.size = 2;
    brood::cluster<work> workers(settings, port);
    co_await workers.ready();
    self.send(0);
    co_await self.message<int>();
    co_await workers.stop();
}

task<> serve_descriptor(process& self)
{
    auto listener = co_await self.listen(brood::descriptor(3));
    co_await greet_one(std::move(listener));
}

task<> refuse_what_does_not_listen(process& self)
{
    for (int number : {3, 4, 99})
    {
        try
        {
            co_await self.listen(brood::descriptor(number));
            self.send(0);
        }
        catch (const std::system_error& refused)
        {
            self.send(refused.code().value());
        }
    }
}

task<> tell_where_it_listens(process& self, std::uint16_t port)
{
    say_that_they_are_ours();
    auto listener = co_await self.listen(tcp::endpoint(tcp::v6(), port));
    self.send(listener.local_endpoint().address().to_string());
}

/// A program that finds out at once whether it was taken from it.
task<> tell_what_is_left(process& self)
{
    auto told = std::getenv("LISTEN_FDS") != nullptr || std::getenv("LISTEN_PID") != nullptr;
    auto stays = (::fcntl(3, F_GETFD) & FD_CLOEXEC) == 0;
    self.send(std::string(told ? "told" : "") + (stays ? "stays" : ""));
    co_return;
}

/// A primary whose worker tells what it sees of the variables, and listens nowhere.
task<> keep_one_that_looks(process& self)
{
    say_that_they_are_ours();
    brood::cluster_settings settings;
    settings.size = 1;
    brood::cluster<[](process& worker) -> task<>
                   {
                       auto seen = worker.env().get("LISTEN_FDS").value_or("none");
                       worker.send(seen + ' ' + worker.env().get("LISTEN_PID").value_or("none"));
                       worker.ready();
                       co_await worker.shutdown();
                   }>
        workers(settings);
    auto seen = co_await workers.message<std::string>();
    self.send(seen->message);
    co_await self.shutdown();
    co_await workers.stop();
}

tcp::acceptor listening(const tcp::endpoint& at)
{
    auto executor = brood::default_executor();
    return tcp::acceptor(executor, at);
}

/// Starts a child with this as its descriptor 3.
template <auto Entry, class Open, class... Args>
brood::forked_process start(Open& open, Args... args)
{
    brood::spawn_options options;
    options.env.emplace();
    options.env->set("LISTEN_FDS", "1");
    options.descriptors.emplace(3, brood::stdio::from(open.native_handle()));
    return brood::fork_with<Entry>(brood::default_executor(), options, args...);
}

tcp::endpoint loopback()
{
    return {asio::ip::address_v4::loopback(), 0};
}

} // namespace

TEST_WITHIN(20s, "a socket that the system handed over is used for its address",
            "[activation_sockets]")
{
    auto open = listening(loopback());
    auto port = open.local_endpoint().port();
    auto child = start<serve_alone>(open, port);
    open.close();
    co_await child.message<int>();
    auto text = co_await ask(port);
    CHECK(text == "hello");
    auto status = co_await child.exit();
    CHECK(status.success());
}

TEST_WITHIN(20s, "all addresses are all addresses, whether IPv6 or IPv4", "[activation_sockets]")
{
    auto open = listening(tcp::endpoint(tcp::v4(), 0));
    auto port = open.local_endpoint().port();
    auto child = start<serve_at_any_address>(open, port);
    open.close();
    co_await child.message<int>();
    auto text = co_await ask(port);
    CHECK(text == "hello");
    co_await child.exit();
}

TEST_WITHIN(20s, "a local socket that was handed over stays when the service ends",
            "[activation_sockets]")
{
    temporary_directory folder;
    auto path = (folder.path() / "socket").string();
    local::acceptor open(brood::default_executor(), local::endpoint(path));
    auto child = start<serve_local>(open, path);
    co_await child.message<int>();
    local::socket client(brood::default_executor());
    local::endpoint at(path);
    co_await client.async_connect(at, asio::use_awaitable);
    co_await child.exit();
    CHECK(std::filesystem::exists(path));
}

TEST_WITHIN(20s, "the workers of a cluster share a socket that was handed over",
            "[activation_sockets]")
{
    auto open = listening(loopback());
    auto port = open.local_endpoint().port();
    auto child = start<serve_by_workers>(open, port);
    open.close();
    co_await child.message<int>();
    for (int client = 0; client < 10; ++client)
    {
        auto text = co_await ask(port);
        CHECK(text == "hello");
    }
    child.send(0);
    auto status = co_await child.exit();
    CHECK(status.success());
}

TEST_WITHIN(20s, "a child serves at a listening descriptor that its parent has closed",
            "[activation_sockets][node-228][node-230]")
{
    auto open = listening(loopback());
    auto port = open.local_endpoint().port();
    auto child = start<serve_descriptor>(open);
    open.close();
    auto text = co_await ask(port);
    CHECK(text == "hello");
    auto status = co_await child.exit();
    CHECK(status.success());
}

TEST_WITHIN(20s, "a descriptor that does not listen is refused", "[activation_sockets][node-232]")
{
    brood::spawn_options options;
    tcp::socket idle(brood::default_executor(), tcp::v4());
    options.descriptors.emplace(3, brood::stdio::from(idle.native_handle()));
    options.descriptors.emplace(4, brood::stdio::read("/dev/null"));
    auto child = brood::fork_with<refuse_what_does_not_listen>(brood::default_executor(), options);
    for (int expected : {EINVAL, ENOTSOCK, EBADF})
    {
        auto reason = co_await child.message<int>();
        CHECK(reason == expected);
    }
    co_await child.exit();
}

TEST_WITHIN(20s, "of two sockets at one port the one for the wanted address is used",
            "[activation_sockets]")
{
    auto executor = brood::default_executor();
    tcp::acceptor four(executor, tcp::endpoint(tcp::v4(), 0)), six(executor);
    auto port = four.local_endpoint().port();
    six.open(tcp::v6());
    six.set_option(asio::ip::v6_only(true));
    six.bind({tcp::v6(), port});
    six.listen();
    brood::spawn_options options;
    options.env.emplace();
    options.env->set("LISTEN_FDS", "2");
    options.descriptors.emplace(3, brood::stdio::from(four.native_handle()));
    options.descriptors.emplace(4, brood::stdio::from(six.native_handle()));
    auto child = brood::fork_with<tell_where_it_listens>(executor, options, port);
    auto said = co_await child.message<std::string>();

    CHECK(said == "::");
}

TEST_WITHIN(20s, "what was handed over is taken when the program begins", "[activation_sockets]")
{
    temporary_directory folder;
    auto starter = folder.path().string() + "/start";
    std::ofstream(starter) << "#!/bin/sh\nLISTEN_PID=$$ exec "
                           << std::filesystem::read_symlink("/proc/self/exe").string()
                           << " \"$@\"\n";
    std::filesystem::permissions(starter, std::filesystem::perms::owner_all);
    auto open = listening(loopback());
    brood::spawn_options options;
    options.env.emplace();
    options.env->set("LISTEN_FDS", "1");
    options.entry_program = starter;
    options.descriptors.emplace(3, brood::stdio::from(open.native_handle()));
    auto executor = brood::default_executor();
    auto child = brood::fork_with<tell_what_is_left>(executor, options);
    auto left = co_await child.message<std::string>();

    CHECK(left == "");
    co_await child.exit();
}

TEST_WITHIN(20s, "workers see nothing of what was handed over, and what nobody asks for is told",
            "[activation_sockets]")
{
    auto open = listening(loopback());
    brood::spawn_options options;
    options.env.emplace();
    options.env->set("LISTEN_FDS", "1");
    options.descriptors.emplace(3, brood::stdio::from(open.native_handle()));
    options.stderr_ = brood::stdio::pipe();
    auto executor = brood::default_executor();
    auto child = brood::fork_with<keep_one_that_looks>(executor, options);
    auto seen = co_await child.message<std::string>();
    auto told = co_await child.err().read_line();
    child.kill(SIGTERM);
    co_await child.exit();

    CHECK(seen == "none none");
    REQUIRE(told);
    CHECK_THAT(*told, ContainsSubstring("nobody listens at 127.0.0.1:" +
                                        std::to_string(open.local_endpoint().port())));
}
