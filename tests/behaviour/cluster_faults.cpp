// SPDX-License-Identifier: BSL-1.0
// A primary that is killed, or that runs out of descriptors or processes.
#include <brood/cluster/cluster.hpp>

#include <brood/process/internal/listening_socket.hpp>
#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/descriptors.hpp"
#include "support/lowered_limit.hpp"
#include "support/patience.hpp"
#include "support/process_table.hpp"
#include "support/processor_share.hpp"
#include "support/scarce_descriptors.hpp"
#include "support/within.hpp"
#include "support/worker_pids.hpp"

#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
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
    settings.restart.delay.base = 20ms;
    settings.restart.delay.cap = 200ms;
    settings.restart.per_slot.failures = settings.restart.per_cluster.failures = 100'000;
    return settings;
}

// ---- A primary that is killed

/// One spins, one waits for a pipe that nobody reads, one for its client, one for a stop.
task<> be_of_four_kinds(process& self)
{
    auto listener = co_await self.listen(0);
    co_await brood::sleep(1ms); // the notice is on its way
    std::string page(4'096, '.');
    while (self.worker_slot() == 0 || (self.worker_slot() == 1 && ::write(2, page.data(), 4'096)))
        continue;
    auto client = co_await listener.accept();
    co_await self.shutdown();
}

task<> primary_of_four(process& self)
{
    cluster<be_of_four_kinds> workers(tireless(4));
    co_await workers.ready();
    self.send(workers.workers().at(0).port());
    self.send(pids_of(workers));
    co_await brood::sleep(1h);
}

/// Ends when it is asked to, or never by itself.
task<> end_if_first(process& self)
{
    self.ready();
    if (self.worker_slot() == 0)
        co_await self.shutdown();
    else
        co_await brood::sleep(1h);
}

/// Its workers learn of its end by their channels alone, as on systems that do not tell otherwise.
task<> primary_of_forgotten(process& self)
{
    auto settings = tireless(2);
    settings.spawn.die_with_parent = false;
    cluster<end_if_first> workers(settings);
    co_await workers.ready();
    self.send(pids_of(workers));
    co_await brood::sleep(1h);
}

/// Whether all that fits into the pipe is in it.
bool is_full(const brood::descriptor& pipe)
{
    int waiting = 0;
    ::ioctl(pipe.get(), FIONREAD, &waiting);
    return waiting == ::fcntl(pipe.get(), F_GETPIPE_SZ);
}

/// A listener at the same port as those of a cluster, or none when it cannot be had.
bool can_listen_at(std::uint16_t port)
{
    try
    {
        asio::ip::tcp::endpoint at(asio::ip::tcp::v6(), port);
        brood::detail::listening_socket socket(brood::detail::to_listen_request(at, {}));
        return true;
    }
    catch (const std::system_error&)
    {
        return false;
    }
}

// ---- A primary that can start nothing for a while

task<> until_stopped(process& self)
{
    self.ready();
    co_await self.shutdown();
}

/// What a primary saw while it could start nothing, and after it.
struct shortage_report
{
    std::string reason = {};     // of the last start that failed
    double percent = 0;          // of a processor, that it used meanwhile
    std::int64_t recovered = -1; // so many milliseconds after it, all were there
    bool others_live = false;
    std::vector<std::string> left_open = {};

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(reason, percent, recovered, others_live, left_open);
    }
};

/// All are ready, and what was sent to them is no more here.
template <class Cluster>
task<> settled(Cluster& workers)
{
    co_await workers.ready();
    auto one_each = [&]
    {
        auto open = open_descriptors();
        auto shared = std::count_if(open.begin(), open.end(),
                                    [](auto& each)
                                    { return each.second.find("memfd") != std::string::npos; });
        return static_cast<std::size_t>(shared) == workers.workers().size();
    };
    co_await eventually(10s, one_each);
}

/// Three failed starts at least, and as many as come in a second.
template <class Cluster>
task<std::string> failed_starts(Cluster& workers)
{
    std::string reason;
    auto until = clock::now() + 1s;
    for (int failed = 0; failed < 3 || clock::now() < until;)
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

/// Loses the first of two workers while nothing can be started, and tells how that went.
template <class Cluster>
task<shortage_report> lose_one(Cluster& workers, __rlimit_resource what, rlim_t limit)
{
    shortage_report report;
    auto before = open_descriptors();
    auto other = workers.workers().at(1).pid();
    clock::time_point over;
    {
        lowered_limit none(what, limit);
        processor_share used;
        workers.workers().at(0).kill(SIGKILL);
        report.reason = co_await failed_starts(workers);
        report.percent = used.percent();
        over = clock::now();
    }
    auto complete = [&]
    {
        return workers.workers().size() == 2;
    };
    co_await eventually(10s, complete);
    report.recovered = std::chrono::milliseconds((clock::now() - over) / 1ms).count();
    report.others_live = workers.workers().at(1).pid() == other;
    // Another worker has other numbers, but as many.
    auto as_before = [&]
    {
        return open_descriptors().size() == before.size();
    };
    auto none_leaked = co_await eventually(5s, as_before);
    if (!none_leaked)
        report.left_open = changes(before, open_descriptors());
    co_return report;
}

task<> without_descriptors(process& self)
{
    cluster<until_stopped> workers(tireless(2));
    co_await settled(workers);
    auto report = co_await lose_one(workers, RLIMIT_NOFILE, 3);
    co_await workers.ready();
    self.send(report);
    co_await workers.stop();
}

task<> without_processes(process& self)
{
    if (::geteuid() == 0) // whom the limit does not bind
        brood::check(::setresuid(65534, 65534, 65534), "become nobody");
    auto settings = tireless(2);
    settings.program = "/bin/sleep"; // nobody may not start this program
    settings.args = {"1000"};
    settings.stop = brood::stop_policy(5s);
    cluster<brood::executable> workers(settings);
    auto report = co_await lose_one(workers, RLIMIT_NPROC, 0);
    self.send(report);
    co_await workers.stop();
}

task<shortage_report> report_of(brood::forked_process primary)
{
    auto report = co_await primary.message<shortage_report>();
    auto status = co_await primary.exit();
    CHECK(status.success());
    auto result = report.value_or(shortage_report());
    co_return result;
}

void check_recovery(const shortage_report& report, const std::string& reason)
{
    CHECK_THAT(report.reason, ContainsSubstring(reason));
    CHECK(report.percent < patient_percent(5));
    CHECK(report.recovered >= 0);
    CHECK(std::chrono::milliseconds(report.recovered) <= patient(2s));
    CHECK(report.others_live);
    CHECK(report.left_open == std::vector<std::string>());
}

/// Adds a worker while so many descriptors are left, one more each time: sooner or later each step
/// of a start lacks one. Tells how many starts failed, how many did not, and what was left open.
task<> start_with_few_descriptors(process& self)
{
    cluster<until_stopped> workers(tireless(1));
    co_await settled(workers);
    auto before = open_descriptors();
    auto as_before = [&]
    {
        return open_descriptors().size() == before.size();
    };
    lowered_limit few(RLIMIT_NOFILE, 64);
    std::array<int, 2> starts = {}; // failed, succeeded
    bool none_leaked = true;
    for (std::size_t left = 0; left < 16; ++left)
    {
        auto taken = all_but(left);
        auto started = co_await workers.fork().ready();
        ++starts.at(started ? 1 : 0);
        taken.clear();
        co_await workers.ready();
        co_await workers.scale(1);
        auto closed = co_await eventually(5s, as_before);
        none_leaked = none_leaked && closed;
    }
    self.send(starts[0]);
    self.send(starts[1]);
    self.send(none_leaked);
    self.send(workers.workers().at(0).id());
    co_await workers.stop();
}

} // namespace

TEST_WITHIN(30s,
            "no worker survives a primary that is killed, not even one that spins, or waits for a "
            "reader",
            "[cluster][T09]")
{
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    brood::descriptor reading(ends[0]), writing(ends[1]);
    brood::spawn_options options;
    options.stderr_ = brood::stdio::from(std::move(writing));
    auto executor = co_await asio::this_coro::executor;
    auto primary = brood::fork_with<primary_of_four>(executor, options);
    auto port = co_await primary.message<std::uint16_t>();
    auto pids = co_await primary.message<std::vector<pid_t>>();
    REQUIRE((port && pids && pids->size() == 4));
    auto client = co_await connect_to(*port);
    auto blocked = co_await eventually(10s, [&] { return is_full(reading); });
    REQUIRE(blocked);

    auto begun = clock::now();
    primary.kill(SIGKILL);
    co_await primary.exit();
    auto all_gone = [&]
    {
        return std::all_of(pids->begin(), pids->end(), gone);
    };
    auto are_gone = co_await eventually(10s, all_gone);
    auto took = clock::now() - begun;

    CHECK(are_gone);
    CHECK(took <= patient(1s));
    CHECK(can_listen_at(*port));
}

TEST_WITHIN(30s,
            "workers that learn of the end of their primary by the channel alone have five seconds",
            "[cluster][T09]")
{
    auto primary = brood::fork<primary_of_forgotten>();
    auto pids = co_await primary.message<std::vector<pid_t>>();
    REQUIRE((pids && pids->size() == 2));

    auto begun = clock::now();
    primary.kill(SIGKILL);
    co_await primary.exit();
    auto one = co_await eventually(10s, [&] { return gone(pids->front()); });
    auto until_one = clock::now() - begun;
    auto other = co_await eventually(20s, [&] { return gone(pids->back()); });
    auto until_other = clock::now() - begun;

    CHECK(one);
    CHECK(until_one <= patient(1s));
    CHECK(other);
    CHECK(until_other >= 5s);
    CHECK(until_other <= 5s + patient(1s));
}

TEST_WITHIN(30s, "a primary without a descriptor left tries again, and recovers", "[cluster][T16]")
{
    auto primary = brood::fork<without_descriptors>();
    auto report = co_await report_of(std::move(primary));

    check_recovery(report, "Too many open files");
}

TEST_WITHIN(60s, "a start that lacks a descriptor, at whatever step, leaves none open",
            "[cluster][T16]")
{
    auto primary = brood::fork<start_with_few_descriptors>();
    auto failed = co_await primary.message<int>();
    auto succeeded = co_await primary.message<int>();
    auto none_leaked = co_await primary.message<bool>();
    auto first = co_await primary.message<std::uint64_t>();
    auto status = co_await primary.exit();

    CHECK(status.success());
    CHECK(failed.value_or(0) > 0);
    CHECK(succeeded.value_or(0) > 0);
    CHECK(none_leaked == true);
    CHECK(first == 1u); // the one that was there went on
}

TEST_WITHIN(30s, "a primary that may start no process tries again, and recovers", "[cluster][T17]")
{
    auto primary = brood::fork<without_processes>();
    auto report = co_await report_of(std::move(primary));

    check_recovery(report, "Resource temporarily unavailable");
}
