// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/detail/core/cluster_core.hpp>

#include <brood/cluster/cluster.hpp>

#include "support/catch.hpp"
#include "support/lowered_limit.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <random>
#include <sched.h>
#include <set>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::exit_cause;
using brood::task;
using brood::detail::process_activity;
using Catch::Matchers::ContainsSubstring;
using event = brood::cluster_event::kind;

namespace
{

cluster_settings of_size(std::size_t size)
{
    cluster_settings settings;
    settings.size = size;
    return settings;
}

/// Looks at its workers often, and ends a hung one soon.
cluster_settings watched()
{
    auto settings = of_size(1);
    settings.restart.when = brood::restart::temporary;
    settings.watchdog.tick = 20ms;
    settings.watchdog.stale_after = 400ms;
    settings.watchdog.end = brood::stop_policy(std::vector<brood::stop_step>{
        brood::stop_step::signal(SIGABRT, 100ms), brood::stop_step::signal(SIGKILL, 5s)});
    return settings;
}

void stay_on_first_processor()
{
    cpu_set_t before, first;
    CPU_ZERO(&before);
    CPU_ZERO(&first);
    ::sched_getaffinity(0, sizeof before, &before);
    int number = 0;
    while (number < CPU_SETSIZE - 1 && !CPU_ISSET(static_cast<unsigned>(number), &before))
        ++number;
    CPU_SET(static_cast<unsigned>(number), &first);
    ::sched_setaffinity(0, sizeof first, &first);
}

task<> wait_for_end(brood::process& self)
{
    co_await self.message<int>();
}

/// Takes all of one processor.
task<> keep_processor_busy(brood::process& self)
{
    stay_on_first_processor();
    self.send(0);
    co_await self.flush();
    for (volatile bool spin = true; spin;)
        continue;
}

/// Its loop stands still from here on.
task<> spin_among_others(brood::process& self)
{
    self.ready();
    co_await brood::sleep(100ms);
    stay_on_first_processor();
    for (volatile bool spin = true; spin;)
        continue;
}

task<> outlive_requests(brood::process& self)
{
    ::signal(SIGTERM, SIG_IGN);
    self.ready();
    for (;;)
        co_await brood::sleep(1h);
}

/// A primary that tells its worker, and, asked, how many of its workers it took for hung.
task<> tell_hung(brood::process& self)
{
    cluster<wait_for_end> workers(watched());
    auto events = workers.events();
    co_await workers.ready();
    self.send(static_cast<int>(workers.workers().at(0).pid()));
    co_await self.message<int>();
    co_await workers.stop();
    int hung = 0;
    for (;;)
    {
        auto next = co_await events.next();
        if (!next)
            break;
        hung += next->what == event::hung;
    }
    self.send(hung);
}

// Not with AddressSanitizer, which sets the limit of cores to 0 when a program begins.
bool writes_core_files()
{
#if defined(__SANITIZE_ADDRESS__)
    return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return false;
#endif
#endif
    std::ifstream pattern("/proc/sys/kernel/core_pattern"), status("/proc/self/status");
    std::string where, all(std::istreambuf_iterator<char>(status), {});
    std::getline(pattern, where);
    rlimit limit{};
    return !where.empty() && where.find_first_of("|/") == std::string::npos &&
           all.find("CoreDumping:") != std::string::npos && ::getrlimit(RLIMIT_CORE, &limit) == 0 &&
           limit.rlim_max == RLIM_INFINITY;
}

/// Its core takes longer to write than the first step of its end lasts.
task<> hang_with_much_memory(brood::process& self)
{
    std::vector<char> memory(std::size_t{256} << 20, 'x');
    self.ready();
    co_await brood::sleep(10ms);
    for (volatile bool spin = true; spin;)
        spin = memory[memory.size() / 2] == 'x';
}

template <class Cluster>
task<brood::exit_info> only_end(Cluster& workers)
{
    auto ended = co_await workers.exit();
    REQUIRE(ended);
    auto info = *ended;
    co_return info;
}

} // namespace

TEST_WITHIN(30s, "a worker that spins is found, told as such, and replaced", "[cluster_core][T08]")
{
    cluster<[](brood::process& self) -> task<>
            {
                self.ready();
                co_await brood::sleep(100ms);
                for (volatile bool spin = true; spin;)
                    continue;
            }>
        workers(watched());
    auto events = workers.events();
    auto ended = co_await only_end(workers);

    CHECK(ended.cause == exit_cause::hung);
    CHECK(ended.reason == "spins");
    CHECK(ended.status.signal == SIGABRT);
    bool told = false;
    for (;;)
    {
        auto next = co_await events.next();
        if (!next)
            break;
        told = told || (next->what == event::hung && next->text == "spins");
    }
    CHECK(told);
}

TEST_WITHIN(60s, "a worker that hangs and writes its core is given the time for it",
            "[cluster_core]")
{
    if (!writes_core_files())
    {
        WARN("this system writes no core files in the folder of a process");
        co_return;
    }
    temporary_directory folder;
    auto settings = watched();
    settings.spawn.cwd = folder.path().string();
    settings.spawn.limits[RLIMIT_CORE] = {RLIM_INFINITY, RLIM_INFINITY};
    settings.watchdog.end = brood::stop_policy(std::vector<brood::stop_step>{
        brood::stop_step::signal(SIGABRT, 300ms), brood::stop_step::kill_tree(5s)});
    cluster<hang_with_much_memory> workers(settings);
    auto ended = co_await only_end(workers);

    CHECK(ended.cause == exit_cause::hung);
    CHECK(ended.status.signal == SIGABRT);
    CHECK(ended.status.core_dumped); // SIGKILL would have cut it off
}

TEST_WITHIN(30s, "a worker that blocks is found", "[cluster_core]")
{
    cluster<[](brood::process& self) -> task<>
            {
                self.ready();
                co_await brood::sleep(100ms);
                ::pause();
            }>
        workers(watched());
    auto ended = co_await only_end(workers);

    CHECK(ended.cause == exit_cause::hung);
    CHECK(ended.reason == "blocks");
}

TEST_WITHIN(30s, "a worker that was stopped is found, and killed", "[cluster_core][T07]")
{
    cluster<wait_for_end> workers(watched());
    auto only = workers.workers().at(0);
    co_await only.ready();
    only.kill(SIGSTOP);
    auto ended = co_await only_end(workers);

    CHECK(ended.cause == exit_cause::hung);
    CHECK(ended.reason == "stopped");
}

TEST_WITHIN(30s, "workers that stood still together with their primary are spared",
            "[cluster_core]")
{
    auto primary = brood::fork<tell_hung>();
    auto worker = co_await primary.message<int>();
    REQUIRE(worker);
    // As a machine that is suspended: the primary comes back a moment before.
    primary.kill(SIGSTOP);
    ::kill(*worker, SIGSTOP);
    co_await brood::sleep(1500ms);
    primary.kill(SIGCONT);
    co_await brood::sleep(60ms);
    ::kill(*worker, SIGCONT);
    co_await brood::sleep(1s);
    primary.send(0);
    auto told = co_await primary.message<int>();
    co_await primary.exit();

    CHECK(told == 0);
}

TEST_WITHIN(60s, "a worker that gets no processor is spared as long as that lasts",
            "[cluster_core]")
{
    auto settings = watched();
    settings.watchdog.stale_after = 1s;
    std::vector<brood::forked_process> greedy;
    for (int count = 0; count < 12; ++count)
        greedy.push_back(brood::fork<keep_processor_busy>());
    for (auto& each : greedy)
        co_await each.message<int>();
    cluster<spin_among_others> workers(settings);
    auto only = workers.workers().at(0);
    co_await only.ready();
    co_await brood::sleep(4s);
    CHECK_FALSE(only.is_dead());

    for (auto& each : greedy)
        each.kill(SIGKILL);
    auto ended = co_await only_end(workers);
    CHECK(ended.cause == exit_cause::hung);
    CHECK(ended.reason == "spins");
}

TEST_CASE("a worker is looked at once in a tick, and four times until it is stale",
          "[cluster_core][T07]")
{
    brood::watchdog settings;
    for (auto tick : {20ms, 1'000ms, 5'000ms})
    {
        settings.tick = tick;
        brood::detail::hang_detector detector(::getpid(), settings);
        CHECK(detector.step() == std::min(tick, 2'500ms));
    }
}

TEST_WITHIN(30s, "without a descriptor to look with, no worker is taken for a hung one",
            "[cluster_core][T16]")
{
    brood::watchdog settings;
    settings.tick = 20ms;
    settings.stale_after = 80ms;
    auto first = brood::fork<keep_processor_busy>();
    auto second = brood::fork<keep_processor_busy>();
    auto has_waited = [&]
    {
        auto waited = process_activity::of(first.pid()).waited;
        return std::chrono::nanoseconds(waited) > settings.stale_after;
    };
    auto waited = co_await eventually(10s, has_waited);
    auto signs = brood::detail::vital_signs::make_file();
    brood::detail::hang_detector detector(first.pid(), settings);
    auto with = detector.look(signs);
    std::optional<std::string> without;
    {
        lowered_limit none(RLIMIT_NOFILE, 3);
        without = detector.look(signs);
    }

    CHECK(waited);
    CHECK_FALSE(with);
    CHECK_FALSE(without);
    first.kill(SIGKILL);
    second.kill(SIGKILL);
}

TEST_WITHIN(30s, "a worker that outlives every step of its stop is detached, and the slot goes on",
            "[cluster_core]")
{
    auto settings = of_size(1);
    settings.stop = brood::stop_policy(std::vector<brood::stop_step>{
        brood::stop_step::disconnect(20ms), brood::stop_step::signal(SIGTERM, 20ms)});
    cluster<outlive_requests> workers(settings);
    auto first = workers.workers().at(0);
    co_await first.ready();
    auto ended = co_await first.stop();
    CHECK(ended.cause == exit_cause::unkillable);
    CHECK(ended.failed());
    CHECK(ended.status.pid == first.pid());
    CHECK(to_string(ended).find("still runs") != std::string::npos);
    CHECK(ended.reason == "asked to end as stopped");

    co_await workers.ready();
    auto second = workers.workers().at(0);
    CHECK(second.id() == 2);
    co_await workers.stop();
    auto last = co_await second.exit();
    CHECK(last.cause == exit_cause::unkillable);
    for (auto& each : {first, second})
        each.kill(SIGKILL);
}

TEST_WITHIN(30s, "an idle worker is not taken for a hung one", "[cluster_core]")
{
    cluster<wait_for_end> workers(watched());
    auto only = workers.workers().at(0);
    co_await only.ready();
    co_await brood::sleep(1500ms);

    CHECK_FALSE(only.is_dead());
    co_await workers.stop();
}

TEST_WITHIN(30s, "a worker that closes its channel and lives on is found and ended",
            "[cluster_core]")
{
    auto settings = of_size(1);
    settings.restart.when = brood::restart::temporary;
    settings.stop = brood::drain_policy(50ms);
    cluster<[](brood::process& self) -> task<>
            {
                self.disconnect();
                co_await brood::sleep(1h);
            }>
        workers(settings);
    auto ended = co_await only_end(workers);

    CHECK(ended.cause == exit_cause::unreachable);
}

TEST_WITHIN(60s, "a kill storm loses no end and no slot", "[cluster_core][T02]")
{
    auto settings = of_size(8);
    settings.restart.per_slot.failures = 100'000;
    settings.restart.per_cluster.failures = 100'000;
    settings.restart.delay.base = 0ms;
    settings.restart.delay.cap = 0ms;
    cluster<wait_for_end> workers(settings);
    std::minstd_rand random(Catch::rngSeed());
    std::set<std::uint64_t> told;
    for (int kill = 0; kill < 300; ++kill)
    {
        auto all = workers.workers();
        if (!all.empty())
            all[random() % all.size()].kill(SIGKILL);
        auto ended = co_await workers.exit();
        REQUIRE(ended);
        CHECK(ended->status.signal == SIGKILL);
        CHECK(told.insert(ended->id).second);
    }
    co_await brood::sleep(5ms);
    CHECK(workers.workers().size() == 8);
    co_await workers.stop();
    int last = 0;
    for (;;)
    {
        auto ended = co_await workers.exit();
        if (!ended)
            break;
        CHECK(told.insert(ended->id).second);
        ++last;
    }
    CHECK(last == 8);
}

TEST_WITHIN(20s, "a stop wins over a restart that waits", "[cluster_core]")
{
    auto settings = of_size(1);
    settings.restart.delay.first = 1h;
    settings.restart.delay.cap = 1h;
    cluster<wait_for_end> workers(settings);
    auto only = workers.workers().at(0);
    co_await only.ready();
    only.kill(SIGKILL);
    co_await workers.exit();

    co_await workers.stop();
    auto none = co_await workers.exit();
    CHECK_FALSE(none);
}

TEST_CASE("a loop that goes takes its workers with it", "[cluster_core]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            cluster<wait_for_end> workers(of_size(2));
            auto first = workers.workers().at(0);
            co_await first.ready();
            first.kill(SIGKILL);
            co_await workers.exit();
            co_await workers.stop();
        });
}
