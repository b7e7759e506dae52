// SPDX-License-Identifier: BSL-1.0
// Defects of Node.js that brood does not share; those of clusters are tested there.
#include <brood/process/fork.hpp>

#include "support/catch.hpp"
#include "support/disturbance.hpp"
#include "support/echo.hpp"
#include "support/within.hpp"

#include <fcntl.h>

#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using asio::ip::tcp;
using brood::carrying;
using brood::descriptor;
using brood::process;
using brood::spawn_options;
using brood::stdio;
using brood::task;

namespace
{

constexpr int many = 20, carrier = 7;

task<> five_messages(process& self)
{
    for (int number = 1; number <= 5; ++number)
        self.send(number);
    co_return;
}

descriptor null_device()
{
    return descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

task<> much_after_a_descriptor(process& self)
{
    self.send(0);
    self.send(1, null_device());
    for (int number = 2; number <= 100; ++number)
        self.send(number);
    co_return;
}

/// Two megabytes of messages, a descriptor among them, and one of text that is not flushed.
void say_much(process& self)
{
    std::string large(100'000, 'm');
    for (int count = 0; count < many; ++count)
        if (count == carrier)
            self.send(large, null_device());
        else
            self.send(large);
    std::string line(99, 'p');
    for (int count = 0; count < 10'000; ++count)
        std::puts(line.c_str());
}

task<> say_much_and_return(process& self)
{
    say_much(self);
    co_return;
}

task<> say_much_and_exit(process& self)
{
    say_much(self);
    co_await self.exit(7);
}

task<> read_into(brood::pipe_reader from, std::optional<std::string>& text)
{
    text = co_await from.read_all();
}

/// Awaits the whole of what say_much() says; gives the code of the child.
task<int> hear_much(brood::forked_process child, disturbance how)
{
    auto executor = co_await asio::this_coro::executor;
    std::optional<std::string> text;
    asio::co_spawn(executor, read_into(child.out(), text), asio::detached);
    disturb(how, child.pid());
    int whole = 0;
    for (int count = 0; count < many; ++count)
        if (count == carrier)
        {
            auto message = co_await child.message<carrying<std::string, descriptor>>();
            whole += message && message->object() && message->message.size() == 100'000;
        }
        else
        {
            auto message = co_await child.message<std::string>();
            whole += message && message->size() == 100'000;
        }
    auto end = co_await child.message<std::string>();
    auto status = co_await child.exit();
    auto read = co_await eventually(5s, [&] { return text.has_value(); });

    CHECK(whole == many);
    CHECK_FALSE(end);
    CHECK((read && text->size() == 1'000'000));
    co_return status.code;
}

/// What a wait ended with; success is an empty code.
task<> note(task<> wait, std::optional<std::error_code>& into)
{
    try
    {
        co_await std::move(wait);
        into.emplace();
    }
    catch (const std::system_error& failed)
    {
        into = failed.code();
    }
}

} // namespace

TEST_CASE("every end is told after the parent has disconnected", "[defect-1][node-B1]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto executor = co_await asio::this_coro::executor;
            spawn_options options;
            options.stdout_ = stdio::pipe();
            auto child = brood::fork_with<echo>(executor, options);
            child.send(1);
            auto reply = co_await child.message<int>();
            child.disconnect();
            disturb(how, child.pid());
            auto closed = co_await child.closed();
            co_await child.disconnected();
            auto exited = co_await child.exit();

            CHECK(reply == 1);
            CHECK(exited.success());
            CHECK(closed == exited);
        });
}

TEST_CASE("a listener that a child dies with is ours again, and its port is free after it",
          "[defect-2]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto executor = co_await asio::this_coro::executor;
            auto child = brood::fork<echo>();
            child.kill(SIGSTOP);
            tcp::acceptor listening(executor, {asio::ip::address_v4::loopback(), 0});
            auto at = listening.local_endpoint();
            child.send(1, std::move(listening));
            child.send(2);
            co_await child.flush();
            child.kill(SIGKILL);
            disturb(how, child.pid());
            co_await child.disconnected();
            auto status = co_await child.exit();
            auto returned = child.undelivered();
            CHECK(status.signal == SIGKILL);
            CHECK(status.undelivered == 1);
            REQUIRE(returned.size() == 1);

            returned.clear();
            auto free = co_await eventually(5s,
                                            [&]
                                            {
                                                std::error_code failed;
                                                tcp::acceptor again(executor, at.protocol());
                                                again.bind(at, failed);
                                                return !failed;
                                            });
            CHECK(free);
        });
}

TEST_CASE("a flush behind a descriptor fails when the child dies, and is never a success",
          "[defect-4][defect-5][node-B5]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto executor = co_await asio::this_coro::executor;
            auto child = brood::fork<echo>();
            child.kill(SIGSTOP);
            child.send(1, null_device());
            std::string block(1 << 20, 'x');
            for (int count = 0; count < 4; ++count)
                child.send(block); // more than the kernel takes
            std::optional<std::error_code> flushed;
            asio::co_spawn(executor, note(child.flush(), flushed), asio::detached);
            co_await brood::sleep(1ms);
            CHECK_FALSE(flushed);
            child.kill(SIGKILL);
            disturb(how, child.pid());
            co_await child.exit();
            auto told = co_await eventually(5s, [&] { return flushed.has_value(); });

            REQUIRE(told);
            CHECK(*flushed == brood::errc::closed);
            CHECK_THROWS_AS(child.send(1), brood::error);
        });
}

TEST_CASE("what came before anybody asked is there after both sides have closed", "[defect-7]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto child = brood::fork<five_messages>();
            disturb(how, child.pid());
            co_await child.exit();
            for (int number = 1; number <= 5; ++number)
            {
                auto message = co_await child.message<int>();
                CHECK(message == number);
                if (number == 2)
                    child.disconnect();
            }
            auto end = co_await child.message<int>();
            CHECK_FALSE(end);
        });
}

TEST_CASE("a channel may go in the middle of what has come", "[defect-7]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto child = brood::fork<five_messages>();
            auto first = co_await child.message<int>();
            disturb(how, child.pid());
            CHECK(first == 1);
            child = brood::forked_process();
            CHECK_FALSE(child.connected());
        });
}

TEST_CASE("a child that returns loses nothing it said, on the channel or to stdout", "[defect-15]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto executor = co_await asio::this_coro::executor;
            spawn_options options;
            options.stdout_ = stdio::pipe();
            auto child = brood::fork_with<say_much_and_return>(executor, options);
            auto code = co_await hear_much(std::move(child), how);
            CHECK(code == 0);
        },
        20s);
}

TEST_CASE("a child that exits early loses nothing it said, on the channel or to stdout",
          "[defect-15]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto executor = co_await asio::this_coro::executor;
            spawn_options options;
            options.stdout_ = stdio::pipe();
            auto child = brood::fork_with<say_much_and_exit>(executor, options);
            auto code = co_await hear_much(std::move(child), how);
            CHECK(code == 7);
        },
        20s);
}

TEST_CASE("what follows a descriptor arrives although its sender has gone before it is read",
          "[defect-17]")
{
    raced(
        [](disturbance how) -> task<>
        {
            auto child = brood::fork<much_after_a_descriptor>();
            disturb(how, child.pid());
            // No turn of the loop: nothing is read until the sender has gone.
            CHECK((how == disturbance::stopped_child ||
                   wait_until(5s, [&] { return !alive(child.pid()); })));
            auto first = co_await child.message<int>();
            auto beside = co_await child.message<carrying<int, descriptor>>();
            CHECK(first == 0);
            REQUIRE(beside);
            CHECK(beside->message == 1);
            CHECK(::fcntl(beside->object().get(), F_GETFD) != -1);
            for (int number = 2; number <= 100; ++number)
            {
                auto message = co_await child.message<int>();
                CHECK(message == number);
            }
            auto end = co_await child.message<int>();
            CHECK_FALSE(end);
        });
}
