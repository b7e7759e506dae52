// SPDX-License-Identifier: BSL-1.0
// A child may end at any moment of what it and its parent say to each other: that is the end of its
// stream and of its calls, and never bytes that nobody would have sent.
#include <brood/process/fork.hpp>

#include <brood/process/process.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <asio/co_spawn.hpp>
#include <asio/this_coro.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <exception>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brood::process;
using brood::task;

namespace
{

constexpr int moments = 340; // of each direction: above a thousand in all

/// Texts of many sizes: frames that fit into one read, and such as need several.
std::string text_of(std::size_t number)
{
    return std::string(number * 7919 % 100'000, 't');
}

task<> sends(process& self)
{
    for (std::size_t number = 1;; ++number)
    {
        auto room = self.send(text_of(number));
        if (!room)
            co_await self.drain();
    }
}

task<> reads(process& self)
{
    self.send(std::string());
    for (;;)
    {
        auto text = co_await self.message<std::string>();
        if (!text)
            break;
    }
}

task<> answers(process& self)
{
    self.send(std::string());
    auto back = [](std::string text)
    {
        return text;
    };
    co_await self.serve(back);
}

/// Ends a child a little later than the last one, one time by SIGKILL and one time by SIGTERM.
task<> end_at(int moment, brood::forked_process& child)
{
    co_await brood::sleep(std::chrono::microseconds(moment * 10));
    child.kill(moment % 2 == 0 ? SIGKILL : SIGTERM);
}

/// Tells what is thrown that the end of a child does not explain.
std::string complaint(const std::exception_ptr& thrown)
{
    try
    {
        std::rethrow_exception(thrown);
    }
    catch (const brood::error& failed)
    {
        return failed.code() == brood::errc::closed ? "" : failed.what();
    }
    catch (const std::exception& failed)
    {
        return failed.what();
    }
}

/// Counts coroutines that run in the background, and keeps what they complain of.
struct background
{
    int running = 0;
    std::vector<std::string> complaints = {};

    template <class Executor>
    void begin(const Executor& executor, task<> work)
    {
        ++running;
        asio::co_spawn(executor, std::move(work),
                       [this](std::exception_ptr thrown)
                       {
                           --running;
                           auto text = thrown ? complaint(thrown) : "";
                           if (!text.empty())
                               complaints.push_back(text);
                       });
    }

    task<bool> end()
    {
        return brood::test::eventually(10s, [this] { return running == 0; });
    }
};

task<> read_all(brood::forked_process& child)
{
    for (std::size_t number = 2;; ++number)
    {
        auto text = co_await child.message<std::string>();
        if (!text)
            break;
        CHECK(text->size() == text_of(number).size());
    }
}

task<> send_all(brood::forked_process& child)
{
    for (std::size_t number = 1; child.connected(); ++number)
    {
        auto room = child.send(text_of(number));
        if (!room)
            co_await child.drain();
    }
}

task<> call_all(brood::forked_process& child, std::size_t first)
{
    for (auto number = first;; ++number)
    {
        auto asked = text_of(number);
        auto answer = co_await child.call<std::string>(asked);
        CHECK(answer == asked);
    }
}

task<> nothing_more(brood::forked_process& child)
{
    auto text = co_await child.message<std::string>();
    CHECK_FALSE(text);
}

} // namespace

TEST_WITHIN(240s, "a child that is ended at any moment of its sending ends its stream", "[moments]")
{
    auto executor = co_await asio::this_coro::executor;
    for (int moment = 0; moment < moments; ++moment)
    {
        INFO("moment " << moment);
        auto child = brood::fork<sends>();
        co_await child.message<std::string>();
        background work;
        work.begin(executor, read_all(child));
        co_await end_at(moment, child);
        auto ended = co_await work.end();
        CHECK(ended);
        CHECK(work.complaints == std::vector<std::string>());
        co_await child.exit();
    }
}

TEST_WITHIN(240s, "a child that is ended at any moment while it is sent to is closed", "[moments]")
{
    auto executor = co_await asio::this_coro::executor;
    for (int moment = 0; moment < moments; ++moment)
    {
        INFO("moment " << moment);
        auto child = brood::fork<reads>();
        co_await child.message<std::string>();
        background work;
        work.begin(executor, send_all(child));
        work.begin(executor, nothing_more(child));
        co_await end_at(moment, child);
        auto ended = co_await work.end();
        CHECK(ended);
        CHECK(work.complaints == std::vector<std::string>());
        co_await child.exit();
    }
}

TEST_WITHIN(240s, "calls of a child that is ended at any moment of them are closed", "[moments]")
{
    auto executor = co_await asio::this_coro::executor;
    for (int moment = 0; moment < moments; ++moment)
    {
        INFO("moment " << moment);
        auto child = brood::fork<answers>();
        co_await child.message<std::string>();
        background work;
        for (std::size_t caller = 0; caller < 3; ++caller)
            work.begin(executor, call_all(child, caller * 100));
        co_await end_at(moment, child);
        auto ended = co_await work.end();
        CHECK(ended);
        CHECK(work.complaints == std::vector<std::string>());
        co_await child.exit();
    }
}
