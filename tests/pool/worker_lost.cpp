// SPDX-License-Identifier: BSL-1.0
#include <brood/pool/worker_lost.hpp>

#include <brood/base/all.hpp>
#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>
#include <brood/pool/pool.hpp>

#include "support/catch.hpp"
#include "support/pools.hpp"
#include "support/within.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using brood::at_least_once;
using brood::exit_cause;
using brood::pool;
using brood::pool_settings;
using brood::task;
using brood::worker_lost;
using brood::test::as;
using brood::test::failure_of;
using brood::test::workers;

// Looking for leaks begins with ptrace(2), which no worker has behind its limits; and a worker must
// end by its signal, not by what the sanitizer makes of it.
extern "C" const char* __asan_default_options()
{
    return "detect_leaks=0:handle_segv=0:handle_abort=0:handle_sigfpe=0";
}

namespace
{

/// What a call does to its worker, by name.
int misbehaves(const std::string& how)
{
    if (how == "segv")
        std::raise(SIGSEGV);
    if (how == "abort")
        std::abort();
    if (how == "exit")
        std::exit(3);
    if (how == "exit 0")
        std::exit(0);
    volatile bool spins = how == "spin";
    while (spins)
        ;
    if (how == "takes memory")
        return static_cast<int>(std::vector<char>(std::size_t{1} << 31).size() >> 20);
    if (how == "opens a file")
        brood::descriptor opened(
            brood::check(::open("/etc/passwd", O_RDONLY), "open", "/etc/passwd"));
    if (how == "traces")
        ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    if (how == "kill")
        ::kill(::getpid(), SIGKILL);
    if (how == "tells, then dies")
    {
        std::fprintf(stderr, "the last words\n");
        std::raise(SIGKILL);
    }
    return 1;
}

/// A worker that reads a file before its first call.
class file_text
{
public:
    explicit file_text(const std::string& path) { std::getline(std::ifstream(path), text_, '\0'); }

    int size() { return static_cast<int>(text_.size()); }

private:
    std::string text_;
};

/// Dies at the first attempt only.
int dies_once(int number)
{
    if (brood::this_call().attempt() == 1)
        std::raise(SIGKILL);
    return number;
}

task<int> dies_among_others(int number)
{
    co_await brood::sleep(50ms);
    if (number == 3)
        std::raise(SIGKILL);
    co_await brood::sleep(50ms);
    co_return static_cast<int>(brood::this_call().attempt());
}

task<std::optional<worker_lost>> loss_of(task<int> call)
{
    auto thrown = co_await failure_of(std::move(call));
    auto lost = as<worker_lost>(thrown);
    if (thrown && !lost)
        std::rethrow_exception(thrown);
    co_return lost;
}

} // namespace

TEST_WITHIN(60s, "the caller of a call that ends its worker learns how that ended", "[pool]")
{
    pool<misbehaves> calls(workers(1));

    auto segv = co_await loss_of(calls("segv"));
    REQUIRE(segv);
    CHECK(segv->code() == brood::errc::closed);
    CHECK(segv->ended().status.signal == SIGSEGV);
    CHECK(segv->ended().cause == exit_cause::signalled);
    CHECK(segv->may_have_run());
    CHECK(segv->arguments() == "(\"segv\")");
    CHECK(segv->text().find("ended by SIGSEGV") != std::string::npos);

    auto aborted = co_await loss_of(calls("abort"));
    REQUIRE(aborted);
    CHECK(aborted->ended().status.signal == SIGABRT);

    auto left = co_await loss_of(calls("exit"));
    REQUIRE(left);
    CHECK(left->ended().status.code == 3);

    auto killed = co_await loss_of(calls("kill"));
    REQUIRE(killed);
    CHECK(killed->ended().status.signal == SIGKILL);

    auto fine = co_await calls("nothing");
    CHECK(fine == 1);
}

TEST_WITHIN(20s, "a function that ends its process with code 0 has lost its call as well", "[pool]")
{
    pool<misbehaves> calls(workers(1));

    auto left = co_await loss_of(calls("exit 0"));

    REQUIRE(left);
    CHECK(left->ended().status.success());
}

TEST_WITHIN(60s, "a call that breaks a limit of its worker is told which, and the next one goes on",
            "[pool]")
{
    auto settings = workers(1);
    settings.limits.emplace();
    settings.limits->processor_time = 1s;
    settings.limits->filter = brood::sandbox::compute();
    pool<misbehaves> calls(settings);

    auto spinning = co_await loss_of(calls("spin"));
    REQUIRE(spinning);
    CHECK(spinning->ended().cause == exit_cause::limit);
    CHECK(spinning->ended().reason == "ended by its limit of processor time (1 s)");
    CHECK(spinning->text().find("(limit: ended by its limit of processor time (1 s))") !=
          std::string::npos);

    std::string refused;
    try
    {
        co_await calls("opens a file");
    }
    catch (const brood::remote_error& thrown)
    {
        refused = thrown.message();
    }
    CHECK(refused == "open /etc/passwd: Operation not permitted "
                     "(stopped by its limit of system calls)");

    auto hostile = co_await loss_of(calls("traces"));
    REQUIRE(hostile);
    CHECK(hostile->ended().cause == exit_cause::limit);
    CHECK(hostile->ended().reason == "ended by its limit of system calls");

    auto fine = co_await calls("nothing");
    CHECK(fine == 1);
    co_await calls.finish();
}

#if !defined(__SANITIZE_ADDRESS__) // which needs more addresses than any limit has
TEST_WITHIN(60s, "a call, or an item, that wants more memory than it may have is told so", "[pool]")
{
    auto settings = workers(1);
    settings.limits.emplace();
    settings.limits->memory = std::uint64_t{1} << 30;
    pool<misbehaves> calls(settings);
    auto told = "(stopped by its limit of memory (1 GiB))";

    auto call = co_await failure_of(calls("takes memory"));
    auto refused = as<brood::remote_error>(call);
    REQUIRE(refused);
    CHECK(refused->type() == "std::bad_alloc");
    CHECK(refused->message().find(told) != std::string::npos);

    std::vector<std::string> items{"nothing", "takes memory", "nothing"};
    auto results = calls.map(items);
    std::vector<std::string> texts;
    while (auto one = co_await results.next_outcome())
        texts.push_back(one->text());
    REQUIRE(texts.size() == 3);
    CHECK(texts[0].empty());
    CHECK(texts[1].find(told) != std::string::npos);
    CHECK(texts[2].empty());
    CHECK(calls.stats().workers.exits == 0);
}
#endif

TEST_WITHIN(20s, "what a worker needs it has before it enters its limits", "[pool]")
{
    auto settings = workers(1);
    settings.limits.emplace();
    settings.limits->filter = brood::sandbox::compute();
    pool<&file_text::size> sizes(settings, "/proc/self/status");

    auto size = co_await sizes();

    CHECK(size > 0);
}

TEST_WITHIN(20s, "the last that a worker printed is told with its loss", "[pool]")
{
    pool<misbehaves> calls(workers(1));

    auto lost = co_await loss_of(calls("tells, then dies"));

    REQUIRE(lost);
    CHECK(lost->ended().last_output == "the last words\n");
    CHECK(lost->text().find("the last words") != std::string::npos);
}

TEST_WITHIN(20s, "a call at least once is tried again, and knows how often it was", "[pool]")
{
    pool<dies_once> calls(workers(2));

    auto result = co_await calls.with({.attempts = at_least_once(2)})(7);

    CHECK(result == 7);
    CHECK(calls.stats().retried == 1);
    auto lost = co_await loss_of(calls(7));
    CHECK(lost);
}

TEST_WITHIN(60s, "a call that ends every worker is poison, and its caller gets the whole story",
            "[pool]")
{
    pool<misbehaves> calls(workers(2));

    auto lost = co_await loss_of(calls.with({.attempts = at_least_once(3)})("segv"));

    REQUIRE(lost);
    CHECK(lost->attempts().size() == 3);
    CHECK(lost->text().find("ended each of the 3 workers") != std::string::npos);
    auto fine = co_await calls("nothing");
    CHECK(fine == 1);
}

TEST_WITHIN(60s, "poison does not count towards the limits of restarts", "[pool]")
{
    auto settings = workers(1);
    settings.restart.per_slot.failures = 2;
    settings.restart.per_cluster.failures = 2;
    pool<misbehaves> calls(settings);

    for (int each = 0; each < 10; ++each)
    {
        auto lost = co_await loss_of(calls("kill"));
        CHECK(lost);
    }
    auto fine = co_await calls("nothing");
    CHECK(fine == 1);
}

TEST_WITHIN(60s,
            "of several calls in a worker that died the guilty one is found, and the others "
            "are not charged",
            "[pool]")
{
    auto settings = workers(2);
    settings.in_flight = 8;
    settings.attempts = at_least_once(2);
    pool<dies_among_others> calls(settings);
    auto ready = co_await calls.ready();
    CHECK(ready);

    std::vector<task<std::optional<worker_lost>>> all;
    for (int number = 0; number < 8; ++number)
        all.push_back(loss_of(calls(number)));
    auto losses = co_await brood::all(std::move(all));

    for (std::size_t number = 0; number < 8; ++number)
        CHECK(losses[number].has_value() == (number == 3));
    REQUIRE(losses[3]);
    CHECK(losses[3]->attempts().size() == 2);
}
