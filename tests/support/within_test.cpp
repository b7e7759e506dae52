// SPDX-License-Identifier: BSL-1.0
#include "support/within.hpp"

#include <brood/base/loop.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <sys/wait.h>

#include <csignal>
#include <fcntl.h>
#include <stdexcept>

using namespace brood;
using namespace brood::test;
using namespace std::chrono_literals;

namespace
{

/// A bare child of the test: it sleeps until it is killed or a minute has passed, or ends at once.
pid_t bare_child(bool sleeps)
{
    auto pid = ::fork();
    if (pid == 0)
    {
        if (sleeps)
            ::sleep(60);
        ::_exit(0);
    }
    return pid;
}

void reap(pid_t pid)
{
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
}

} // namespace

TEST_CASE("within() runs the coroutine to its end with a default executor", "[within]")
{
    int turns = 0;

    within(5s,
           [&turns]() -> task<>
           {
               auto executor = co_await asio::this_coro::executor;
               CHECK(executor == default_executor());
               for (; turns < 3; ++turns)
                   co_await sleep(1ms);
           });

    CHECK(turns == 3);
}

TEST_CASE("within() throws what the body threw", "[within]")
{
    auto body = []() -> task<>
    {
        co_await sleep(0ms);
        throw std::runtime_error("thrown by the body");
    };

    CHECK_THROWS_WITH(within(5s, body), "thrown by the body");
}

TEST_CASE("within() says that the deadline passed instead of hanging", "[within]")
{
    auto complaints = complaints_within(20ms, []() -> task<> { co_await sleep(1h); });

    CHECK(complaints == std::vector<std::string>{"the deadline passed"});
}

TEST_CASE("within() finds a descriptor that was left open and says where it leads", "[within]")
{
    int leaked = -1;

    auto complaints = complaints_within(5s,
                                        [&leaked]() -> task<>
                                        {
                                            leaked = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
                                            co_return;
                                        });

    CHECK(complaints == std::vector<std::string>{"descriptor " + std::to_string(leaked) +
                                                 " was left open: /dev/null"});
    ::close(leaked);
}

TEST_CASE("within() finds a descriptor that the body did not own and closed", "[within]")
{
    int ours = ::open("/dev/null", O_RDONLY | O_CLOEXEC);

    auto complaints = complaints_within(5s,
                                        [ours]() -> task<>
                                        {
                                            ::close(ours);
                                            co_return;
                                        });

    REQUIRE(complaints.size() == 1);
    CHECK_THAT(complaints[0], Catch::Matchers::ContainsSubstring("did not own"));
}

TEST_CASE("within() finds a zombie and a child that runs", "[within]")
{
    bool sleeps = GENERATE(true, false);
    pid_t child = 0;

    auto complaints = complaints_within(1s,
                                        [&child, sleeps]() -> task<>
                                        {
                                            child = bare_child(sleeps);
                                            co_return;
                                        });

    REQUIRE(complaints.size() == 1);
    CHECK_THAT(complaints[0], Catch::Matchers::ContainsSubstring(sleeps ? "child " : "zombie "));
    CHECK_THAT(complaints[0], Catch::Matchers::ContainsSubstring(std::to_string(child)));
    reap(child);
}

TEST_CASE("within() accepts the children and descriptors that were there before", "[within]")
{
    auto child = bare_child(true);

    within(5s, []() -> task<> { co_return; });

    reap(child);
    CHECK(gone(child));
}

TEST_CASE("within() keeps the loop going until the background has reaped its child", "[within]")
{
    auto reap_later = [](pid_t pid) -> task<>
    {
        co_await sleep(30ms);
        reap(pid);
    };

    within(5s,
           [&reap_later]() -> task<>
           {
               asio::co_spawn(default_executor(), reap_later(bare_child(true)), asio::detached);
               co_return;
           });
}

TEST_CASE("abandoned_at_every_step() ends the loop once after each turn", "[within]")
{
    std::vector<int> reached;

    abandoned_at_every_step(
        [&reached]() -> task<>
        {
            reached.push_back(0);
            for (int step = 1; step <= 3; ++step)
            {
                co_await sleep(0ms);
                reached.back() = step;
            }
        });

    CHECK(reached.size() >= 4);
    CHECK(std::is_sorted(reached.begin(), reached.end()));
    CHECK(reached.front() == 0);
    CHECK(reached.back() == 3);
}
