// SPDX-License-Identifier: BSL-1.0
// What bad input gets: functions that do to their worker what no function should, and callers that
// do it to their pool.
#include <brood/base/all.hpp>
#include <brood/pool.hpp>

#include "support/catch.hpp"
#include "support/pools.hpp"
#include "support/within.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using brood::at_least_once;
using brood::pool;
using brood::pool_settings;
using brood::task;
using brood::worker_lost;
using brood::test::as;
using brood::test::eventually;
using brood::test::failure_of;

namespace
{

/// Workers that have no second to stop in.
pool_settings of(std::size_t count)
{
    return brood::test::workers(count, 100ms);
}

[[gnu::noinline]] int overflow(int depth)
{
    std::array<volatile char, 65'536> room{};
    room[0] = static_cast<char>(depth);
    return depth == -1 ? 0 : overflow(depth + 1) + room[0];
}

int allocate_until_killed()
{
    // As the kernel does it, without taking the memory of this machine.
    rlimit limit{512 << 20, 512 << 20};
    ::setrlimit(RLIMIT_AS, &limit);
    for (;;)
    {
        auto more = std::malloc(16 << 20);
        if (more == nullptr)
            ::kill(::getpid(), SIGKILL);
    }
}

int does(const std::string& what)
{
    if (what == "throw")
        throw 42;
    if (what == "exit")
        std::exit(3);
    if (what == "abort")
        std::abort();
    if (what == "terminate")
        std::terminate();
    if (what == "close")
        for (int number = 0; number < 1024; ++number)
            ::close(number);
    if (what == "overflow")
        return overflow(0);
    if (what == "allocate")
        return allocate_until_killed();
    if (what == "chdir")
        return ::chdir("/") + (::umask(0) == 0 ? 0 : 1);
    if (what == "mask")
    {
        sigset_t all;
        ::sigfillset(&all);
        ::sigprocmask(SIG_BLOCK, &all, nullptr);
    }
    if (what == "flood")
        for (int line = 0; line < 20'000; ++line)
            std::printf("%s\n", "a line that nobody wants to read, and another one, and one more");
    return 7;
}

std::string returns_bytes(std::size_t count)
{
    return std::string(count, 'x');
}

std::size_t takes_bytes(const std::string& bytes)
{
    return bytes.size();
}

/// Leaves a child behind that holds every descriptor of the worker.
pid_t leaves_a_child(bool dies)
{
    auto child = ::fork();
    if (child == 0)
    {
        ::alarm(30); // which ends it, whatever becomes of the test
        for (;;)
            ::pause();
    }
    if (dies)
        std::raise(SIGSEGV);
    return child;
}

int never_returns()
{
    for (;;)
        std::this_thread::sleep_for(1h);
}

int one()
{
    return 1;
}

task<int> sleeps()
{
    co_await brood::sleep(1h);
    co_return 1;
}

} // namespace

TEST_WITHIN(120s,
            "whatever a function does to its worker, its caller learns it and the pool goes "
            "on",
            "[pool]")
{
    auto settings = of(1);
    settings.output.where = brood::worker_output::goes::read; // and nobody reads it
    pool<does> calls(settings);

    auto thrown = co_await failure_of(calls("throw"));
    CHECK(as<brood::remote_error>(thrown));
    for (auto what : {"exit", "abort", "terminate", "close", "overflow", "allocate"})
    {
        INFO(what);
        auto failure = co_await failure_of(calls(std::string(what)));
        auto lost = as<worker_lost>(failure);
        REQUIRE(lost);
        CHECK(lost->may_have_run());
        auto next = co_await calls("nothing");
        CHECK(next == 7);
    }
    for (auto what : {"chdir", "mask", "flood"})
    {
        auto failure = co_await failure_of(calls(std::string(what)));
        CHECK_FALSE(failure);
    }
    auto last = co_await calls("nothing");
    CHECK(last == 7);
}

TEST_WITHIN(60s, "a result above the limit of a message fails the call alone", "[pool]")
{
    pool<returns_bytes> calls(of(1));

    auto failure = co_await failure_of(calls(1'000'000'000));

    auto told = as<brood::remote_error>(failure);
    REQUIRE(told);
    CHECK(told->message().find("at most") != std::string::npos);
    auto next = co_await calls(10);
    CHECK(next.size() == 10);
    CHECK(calls.stats().workers.exits == 0);
}

TEST_WITHIN(60s, "arguments above the limit of a message are refused at the call", "[pool]")
{
    pool<takes_bytes> calls(of(1));
    auto ready = co_await calls.ready();
    CHECK(ready);

    auto failure = co_await failure_of(calls(std::string(20'000'000, 'x')));

    auto refused = as<brood::error>(failure);
    REQUIRE(refused);
    CHECK(refused->code() == brood::errc::too_large);
    auto next = co_await calls(std::string(10, 'x'));
    CHECK(next == 10);
}

TEST_WITHIN(60s, "a call that is late frees its worker within the grace, again and again", "[pool]")
{
    pool<never_returns> calls(of(2));
    auto ready = co_await calls.ready();
    CHECK(ready);

    for (int each = 0; each < 3; ++each)
    {
        auto failure = co_await failure_of(calls.with({.deadline = 200ms})());
        auto late = as<brood::error>(failure);
        REQUIRE(late);
        CHECK(late->code() == brood::errc::timed_out);
    }
    auto idle = co_await eventually(20s, [&] { return calls.stats().running == 0; });
    CHECK(idle);
}

TEST_WITHIN(60s, "children that a call leaves behind do not keep its caller waiting", "[pool]")
{
    pool<leaves_a_child> calls(of(1));

    auto child = co_await calls(false);
    CHECK(child > 0);
    auto failure = co_await failure_of(calls(true));
    CHECK(as<worker_lost>(failure));
    auto another = co_await calls(false);
    CHECK(another > 0);
    ::kill(child, SIGKILL);
    ::kill(another, SIGKILL);
}

TEST_WITHIN(60s, "the callers of a pool that is destroyed get an error each", "[pool]")
{
    std::vector<task<std::exception_ptr>> waiting;
    {
        pool<sleeps> calls(of(2));
        auto ready = co_await calls.ready();
        CHECK(ready);
        for (int each = 0; each < 100; ++each)
            waiting.push_back(failure_of(calls()));
    }
    auto failures = co_await brood::all(std::move(waiting));
    for (auto& each : failures)
    {
        auto closed = as<brood::error>(each);
        REQUIRE(closed);
        CHECK(closed->code() == brood::errc::closed);
    }
}

TEST_CASE("a loop that is destroyed in the middle of calls leaves nothing behind", "[pool]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            pool<one> calls(of(1));
            auto first = co_await calls();
            CHECK(first == 1);
            auto second = co_await calls.with({.deadline = 10s})();
            CHECK(second == 1);
        },
        60s);
}
