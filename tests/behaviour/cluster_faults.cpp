// SPDX-License-Identifier: BSL-1.0
// A primary that is killed, or that runs out of descriptors or processes.
#include <brood/cluster/cluster.hpp>

#include "support/catch.hpp"
#include "support/lowered_limit.hpp"
#include "support/patience.hpp"
#include "support/process_table.hpp"
#include "support/within.hpp"

#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::process;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

cluster_settings tireless(std::size_t size)
{
    cluster_settings settings;
    settings.size = size;
    settings.restart.delay.base = 5ms;
    settings.restart.delay.cap = 20ms;
    settings.restart.per_slot.failures = settings.restart.per_cluster.failures = 100'000;
    return settings;
}

/// One spins, one waits.
task<> spins_or_waits(process& self)
{
    self.ready();
    co_await brood::sleep(1ms); // the notice is on its way
    for (volatile bool spin = self.worker_slot() == 0; spin;)
        continue;
    co_await self.shutdown();
}

task<> primary_of_two(process& self)
{
    cluster<spins_or_waits> workers(tireless(2));
    co_await workers.ready();
    std::vector<pid_t> pids;
    for (auto& each : workers.workers())
        pids.push_back(each.pid());
    self.send(pids);
    co_await brood::sleep(1h);
}

task<> until_stopped(process& self)
{
    self.ready();
    co_await self.shutdown();
}

template <class Cluster>
task<std::string> three_failed_starts(Cluster& workers)
{
    std::string reason;
    for (int failed = 0; failed < 3;)
    {
        auto ended = co_await workers.exit();
        if (!ended)
            throw std::runtime_error("the cluster has ended");
        if (ended->cause != brood::exit_cause::start_failed)
            continue;
        ++failed;
        reason = ended->reason;
    }
    co_return reason;
}

/// Loses a worker when no descriptor can be opened, and gets them back.
task<> without_descriptors(process& self)
{
    cluster<until_stopped> workers(tireless(2));
    co_await workers.ready();
    auto other = workers.workers()[1].pid();
    std::string reason;
    {
        lowered_limit none(RLIMIT_NOFILE, 3);
        workers.workers()[0].kill(SIGKILL);
        reason = co_await three_failed_starts(workers);
    }
    auto ready = co_await workers.ready();
    self.send(reason);
    self.send(ready && workers.workers()[1].pid() == other);
    co_await workers.stop();
}

/// Starts a worker when there may be no process, and when there may be again.
task<> without_processes(process& self)
{
    if (::geteuid() == 0) // whom the limit does not bind
        brood::check(::setresuid(65534, 65534, 65534), "become nobody");
    auto settings = tireless(1);
    settings.program = "/bin/sleep";
    settings.args = {"1000"};
    settings.stop = brood::stop_policy(5s);
    auto none = std::make_unique<lowered_limit>(RLIMIT_NPROC, 0);
    cluster<brood::executable> workers(settings);
    auto reason = co_await three_failed_starts(workers);
    none.reset();
    auto started = co_await eventually(10s, [&] { return !workers.workers().empty(); });
    self.send(reason);
    self.send(started);
    co_await workers.stop();
}

} // namespace

TEST_CASE("no worker survives a primary that is killed, not even one that spins", "[cluster][T09]")
{
    within(30s,
           []() -> task<>
           {
               auto primary = brood::fork<primary_of_two>();
               auto pids = co_await primary.message<std::vector<pid_t>>();
               REQUIRE((pids && pids->size() == 2));
               primary.kill(SIGKILL);
               co_await primary.exit();
               auto are_gone = co_await eventually(
                   10s, [&] { return gone(pids->front()) && gone(pids->back()); });

               CHECK(are_gone);
           });
}

TEST_CASE("a primary without a descriptor left tries again, and recovers", "[cluster][T16]")
{
    within(30s,
           []() -> task<>
           {
               auto primary = brood::fork<without_descriptors>();
               auto reason = co_await primary.message<std::string>();
               auto recovered = co_await primary.message<bool>();
               auto status = co_await primary.exit();

               REQUIRE(reason);
               CHECK_THAT(*reason, ContainsSubstring("Too many open files"));
               CHECK(recovered == true);
               CHECK(status.success());
           });
}

TEST_CASE("a primary that may start no process tries again, and recovers", "[cluster][T17]")
{
    within(30s,
           []() -> task<>
           {
               auto primary = brood::fork<without_processes>();
               auto reason = co_await primary.message<std::string>();
               auto recovered = co_await primary.message<bool>();
               auto status = co_await primary.exit();

               REQUIRE(reason);
               CHECK_THAT(*reason, ContainsSubstring("Resource temporarily unavailable"));
               CHECK(recovered == true);
               CHECK(status.success());
           });
}
