// SPDX-License-Identifier: BSL-1.0
// What bad input gets: functions that do to their worker what no function should, and callers that
// do it to their pool.
#include <brood/base/all.hpp>
#include <brood/pool.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/lowered_limit.hpp"
#include "support/pools.hpp"
#include "support/scarce_descriptors.hpp"
#include "support/within.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brood::at_least_once;
using brood::pool;
using brood::pool_settings;
using brood::task;
using brood::worker_lost;
using brood::test::all_but;
using brood::test::as;
using brood::test::changes;
using brood::test::code_of;
using brood::test::eventually;
using brood::test::failure_of;
using brood::test::lowered_limit;
using brood::test::open_descriptors;

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

/// Cannot be made of some numbers.
struct picky
{
    int number = 0;

    template <class Archive>
    void save(Archive& archive) const
    {
        archive(number);
    }

    template <class Archive>
    void load(Archive& archive)
    {
        archive(number);
        if (number == 13)
            throw std::invalid_argument("not that one");
        if (number == 66)
            std::raise(SIGKILL);
    }
};

int number_of(picky from)
{
    return from.number;
}

/// A call with such a number.
task<std::exception_ptr> failure_with(pool<number_of>& calls, int number)
{
    picky argument{number};
    auto call = calls.with({.attempts = at_least_once(2)})(argument);
    return failure_of(std::move(call));
}

#if !defined(__SANITIZE_ADDRESS__) // UBSan looks at objects through a pipe, which it cannot open
/// Keeps the file, and opens more, until this process can open none.
int hoards(brood::descriptor file)
{
    static std::vector<brood::descriptor> all;
    static lowered_limit few(RLIMIT_NOFILE, 64);
    all.push_back(std::move(file));
    for (auto& each : brood::test::all_but(0))
        all.push_back(std::move(each));
    return static_cast<int>(all.size());
}

int takes(brood::descriptor file)
{
    return file ? 1 : 0;
}

brood::descriptor opens(int)
{
    return brood::descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

brood::descriptor null_device()
{
    return opens(0);
}
#endif

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

TEST_WITHIN(60s, "arguments that cannot be made there fail their call alone, or are its poison",
            "[pool]")
{
    pool<number_of> calls(of(1));

    auto refused = co_await failure_with(calls, 13);
    auto told = as<brood::remote_error>(refused);
    REQUIRE(told);
    CHECK(told->type() == "std::invalid_argument");
    CHECK(told->message() == "not that one");
    CHECK(calls.stats().workers.exits == 0);

    auto deadly = co_await failure_with(calls, 66);
    auto lost = as<worker_lost>(deadly);
    REQUIRE(lost);
    CHECK(lost->attempts().size() == 2);
    auto next = co_await failure_with(calls, 7);
    CHECK_FALSE(next);
}

#if !defined(__SANITIZE_ADDRESS__) // as above
TEST_WITHIN(60s, "a worker that has no room for the descriptors of a call says so", "[pool]")
{
    pool<hoards> calls(of(1));
    auto many = co_await calls(null_device());
    CHECK(many > 10);
    auto before = open_descriptors();

    for (int each = 0; each < 3; ++each)
    {
        auto failure = co_await failure_of(calls(null_device()));
        auto lost = as<brood::error>(failure);
        REQUIRE(lost);
        CHECK(lost->code() == brood::errc::descriptors_lost);
        CHECK(lost->text().find("open files of this worker") != std::string::npos);
    }

    CHECK(changes(before, open_descriptors()).empty());
    CHECK(calls.stats().workers.exits == 0);
}

TEST_WITHIN(60s, "a primary that has no room for descriptors fails its calls alone", "[pool]")
{
    pool<opens> results(of(1));
    pool<takes> arguments(of(1));
    auto first = co_await results(1);
    auto taken = co_await arguments(null_device());
    CHECK(taken == 1);
    {
        lowered_limit few(RLIMIT_NOFILE, 128);
        auto argument = null_device();
        auto none_left = all_but(0);

        auto lost = co_await code_of(results(1));
        CHECK(lost == brood::errc::descriptors_lost);
        auto refused = co_await code_of(arguments(std::move(argument)));
        CHECK(refused == std::errc::too_many_files_open);
    }
    auto again = co_await results(1);
    CHECK(again);
    CHECK(first);
}
#endif

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
