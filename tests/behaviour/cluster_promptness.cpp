// SPDX-License-Identifier: BSL-1.0
// How soon a cluster sees that a worker ended or hangs, replaces it, or gives up.
#include <brood/cluster/cluster.hpp>

#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/line_server.hpp"
#include "support/load.hpp"
#include "support/patience.hpp"
#include "support/processor_share.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"
#include "support/worker_pids.hpp"

#include <asio/write.hpp>

#include <cereal/types/vector.hpp>

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::dispatch_policy;
using brood::exit_cause;
using brood::process;
using brood::task;
using brood::worker_state;
using Catch::Matchers::ContainsSubstring;
using event = brood::cluster_event::kind;

namespace
{

cluster_settings of_size(std::size_t size)
{
    cluster_settings settings;
    settings.size = size;
    settings.restart.delay.base = 20ms;
    return settings;
}

/// The median: one measurement that the machine disturbed is no failure.
clock::duration usual(std::vector<clock::duration> times)
{
    REQUIRE(!times.empty());
    auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
}

task<> until_stopped(process& self)
{
    self.ready();
    co_await self.shutdown();
}

// ---- A worker that crashes for ever

constexpr std::size_t failures_borne = 4;

/// Says when it was started, and fails.
task<> crash_before_ready(process& self)
{
    auto now =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - clock::time_point());
    self.send(std::int64_t{now.count()});
    self.exit_code(1);
    co_return;
}

struct crash_report
{
    std::vector<std::int64_t> started = {}; // in milliseconds of the steady clock
    int starts = 0, exits = 0, parked = 0, failed = 0;
    double percent = 0; // of a processor, that the primary used

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(started, starts, exits, parked, failed, percent);
    }
};

template <class Cluster>
task<> note_starts(Cluster& workers, crash_report& report)
{
    for (;;)
    {
        auto said = co_await workers.template message<std::int64_t>();
        if (!said)
            break;
        report.started.push_back(said->message);
    }
}

/// A primary of a worker that crashes for ever, from its start to its end.
task<> bear_crashes(process& self, int on_limit)
{
    auto settings = of_size(1);
    settings.restart.delay.base = 200ms;
    settings.restart.per_slot.failures = failures_borne;
    settings.restart.on_limit = static_cast<brood::on_limit>(on_limit);
    settings.restart.exit_code = 9;
    crash_report report;
    processor_share used;
    cluster<crash_before_ready> workers(settings);
    auto events = workers.events();
    auto executor = co_await asio::this_coro::executor;
    auto noting = note_starts(workers, report);
    bool noted = false;
    asio::co_spawn(executor, std::move(noting), [&](std::exception_ptr) { noted = true; });
    for (;;)
    {
        auto next = co_await events.next();
        if (!next)
            break;
        report.starts += next->what == event::fork;
        report.exits += next->what == event::exit;
        report.parked += next->what == event::parked;
    }
    report.percent = used.percent();
    try
    {
        for (auto ended = co_await workers.exit(); ended;)
            ended = co_await workers.exit();
    }
    catch (const brood::error&)
    {
        ++report.failed;
    }
    while (!noted)
        co_await brood::sleep(1ms);
    self.send(report);
}

/// The report of such a primary; an empty one when it ended without.
task<crash_report> report_of(brood::forked_process& primary)
{
    auto report = co_await primary.message<crash_report>();
    auto result = report.value_or(crash_report());
    co_return result;
}

void check_backoff(const crash_report& report)
{
    REQUIRE(report.started.size() == failures_borne + 1);
    brood::backoff delay;
    delay.base = 200ms;
    for (unsigned failures = 1; failures <= failures_borne; ++failures)
    {
        INFO("the start after " << failures << " failures");
        std::chrono::milliseconds waited(report.started[failures] - report.started[failures - 1]);
        CHECK(waited + 1ms >= delay.after(failures, 0));
        CHECK(waited <= delay.after(failures, 1) + patient(1s));
    }
}

// ---- A worker that takes its time

/// In slot 1 it is not ready before a file is there.
task<> serve_when_there_is(process& self, std::string path)
{
    while (self.worker_slot() == 1 && !std::filesystem::exists(path))
        co_await brood::sleep(2ms);
    auto listener = co_await self.listen(0);
    auto who = std::to_string(self.worker_slot());
    for (;;)
    {
        auto client = co_await listener.accept();
        if (!client)
            break;
        co_await asio::async_write(*client, asio::buffer(who), asio::use_awaitable);
    }
}

/// How many of so many connections each slot served.
task<std::map<std::string, int>> served_by(std::uint16_t port, int connections)
{
    std::map<std::string, int> result;
    for (int count = 0; count < connections; ++count)
    {
        auto who = co_await ask(port);
        ++result[who];
    }
    co_return result;
}

// ---- A worker that hangs

/// One client at a time: what hangs with it is the request of one.
task<> serve_one_by_one(process& self)
{
    auto listener = co_await self.listen(0);
    const bool after_one_request = true;
    for (;;)
    {
        auto client = co_await listener.accept();
        if (!client)
            break;
        co_await answer_lines(std::move(*client), after_one_request);
    }
}

/// The first one spins for ever, and says so when SIGABRT asks for a dump.
task<> spin_and_dump(process& self)
{
    self.ready();
    if (self.worker_id() != 1)
        co_return co_await self.shutdown();
    co_await brood::sleep(100ms);
    std::signal(SIGABRT,
                [](int)
                {
                    auto written = ::write(2, "where it spins\n", 15);
                    static_cast<void>(written);
                });
    for (volatile bool spin = true; spin;)
        continue;
}

/// The next event of that kind.
task<brood::cluster_event> next_of(brood::event_stream& events, event kind)
{
    for (;;)
    {
        auto next = co_await events.next();
        REQUIRE(next);
        if (next->what == kind)
            co_return *next;
    }
}

} // namespace

TEST_WITHIN(30s, "an end is told at once, and its successor is soon ready", "[cluster][T01]")
{
    auto settings = of_size(4);
    settings.restart.delay.first = 0ms;
    settings.restart.delay.healthy_after = 0ms; // each failure is the first in its row
    settings.restart.per_slot.failures = 100;
    cluster<until_stopped> workers(settings);
    co_await workers.ready();
    std::vector<clock::duration> until_told, until_ready;
    for (std::size_t kill = 0; kill < 12; ++kill)
    {
        auto slot = kill % 4;
        auto before = pids_of(workers);
        auto begun = clock::now();
        workers.workers()[slot].kill(SIGKILL);
        auto ended = co_await workers.exit();
        until_told.push_back(clock::now() - begun);
        co_await workers.ready();
        until_ready.push_back(clock::now() - begun);

        REQUIRE(ended);
        CHECK(ended->slot == slot);
        CHECK(ended->status.signal == SIGKILL);
        auto after = pids_of(workers);
        REQUIRE(after.size() == 4);
        for (std::size_t other = 0; other < 4; ++other)
            CHECK((after[other] == before[other]) == (other != slot));
    }
    CHECK(usual(until_told) <= patient(50ms));
    CHECK(usual(until_ready) <= patient(500ms));
    co_await workers.stop();
}

TEST_WITHIN(30s, "a crash loop keeps to its waits and its limit, and ends in what was wanted, once",
            "[cluster][T04]")
{
    brood::spawn_options options;
    options.stderr_ = brood::stdio::pipe();
    auto fails = brood::fork<bear_crashes>(static_cast<int>(brood::on_limit::fail));
    auto parks = brood::fork<bear_crashes>(static_cast<int>(brood::on_limit::park));
    auto exits = brood::fork_with<bear_crashes>(brood::default_executor(), options,
                                                static_cast<int>(brood::on_limit::exit));

    auto failing = co_await report_of(fails);
    auto parking = co_await report_of(parks);
    auto story = co_await exits.err().read_all();
    auto status = co_await exits.exit();
    co_await fails.exit();
    co_await parks.exit();

    for (auto& report : {failing, parking})
    {
        CHECK(report.starts == failures_borne + 1);
        CHECK(report.exits == failures_borne + 1);
        check_backoff(report);
        CHECK(report.percent < patient_percent(2));
    }
    CHECK(failing.failed == 1);
    CHECK(failing.parked == 0);
    CHECK(parking.failed == 0);
    CHECK(parking.parked == 1);
    CHECK(status.code == 9);
    auto told = story.find("failed more often than its restart policy allows");
    REQUIRE(told != std::string::npos);
    CHECK(story.find("failed more often", told + 1) == std::string::npos);
}

TEST_CASE("a worker that is slow to start is handed nothing before it is ready", "[cluster][T06]")
{
    for (auto& dispatch : {dispatch_policy::shared(), dispatch_policy::round_robin()})
        within(30s,
               [&dispatch]() -> task<>
               {
                   temporary_directory folder;
                   auto path = (folder.path() / "ready").string();
                   auto settings = of_size(2);
                   settings.start_within = 20s;
                   settings.dispatch = dispatch;
                   cluster<serve_when_there_is> workers(settings, path);
                   auto quick = workers.workers().at(0), slow = workers.workers().at(1);
                   co_await quick.ready();
                   auto port = quick.port();
                   auto is_online = [&]
                   {
                       return slow.state() == worker_state::online;
                   };
                   auto online = co_await eventually(10s, is_online);
                   REQUIRE(online);

                   auto before = co_await served_by(port, 20);
                   CHECK(before == std::map<std::string, int>{{"0", 20}});
                   CHECK(slow.state() == worker_state::online);

                   folder.write("ready", "");
                   auto ready = co_await slow.ready();
                   CHECK(ready);
                   CHECK(slow.id() == 2);
                   auto after = co_await served_by(port, 20);
                   if (dispatch.hands_over())
                       CHECK(after == std::map<std::string, int>{{"0", 10}, {"1", 10}});
                   CHECK(workers.stats().failures == 0);
                   co_await workers.stop();
               });
}

TEST_WITHIN(30s, "workers that were stopped are found in time, end, and are replaced; others go on",
            "[cluster][T07]")
{
    auto settings = of_size(4);
    settings.watchdog.tick = 200ms;
    settings.watchdog.stale_after = 1s;
    cluster<serve_one_by_one> workers(settings);
    co_await workers.ready();
    load clients;
    clients.port = workers.workers().at(0).port();
    begin(clients, ask_lines, 10);
    auto events = workers.events();
    auto begun = clock::now();
    for (std::size_t slot = 1; slot < 4; ++slot)
        workers.workers()[slot].kill(SIGSTOP);
    std::vector<clock::duration> until_told;
    for (std::size_t count = 1; count < 4; ++count)
    {
        auto told = co_await next_of(events, event::hung);
        until_told.push_back(clock::now() - begun);
        CHECK(told.text == "stopped");
    }
    for (std::size_t count = 1; count < 4; ++count)
    {
        auto ended = co_await workers.exit();
        REQUIRE(ended);
        CHECK(ended->slot != 0);
        CHECK(ended->cause == exit_cause::hung);
        CHECK(ended->reason == "stopped");
        CHECK(ended->status.signal == SIGABRT); // it was continued to get it
    }
    auto until_ended = clock::now() - begun;
    co_await workers.ready();
    auto answered = clients.answered;
    auto go_on = [&]
    {
        return clients.answered > answered + 20;
    };
    auto served = co_await eventually(10s, go_on);
    co_await end(clients);

    CHECK(usual(until_told) >= 800ms); // a tick may lie before
    // Stale and a tick, and time for a busy machine;
    // tests/cluster/detail/core/cluster_core.cpp is strict about when it looks.
    CHECK(usual(until_told) <= 1s + patient(1s));
    CHECK(until_ended <= patient(1s + 2s));
    CHECK(served);
    CHECK(clients.failures.size() <= 3); // what they had in hand
    CHECK(workers.workers().size() == 4);
    CHECK(workers.workers()[0].id() == 1);
    co_await workers.stop();
}

TEST_WITHIN(30s, "a worker that spins may dump before it is killed, and is replaced",
            "[cluster][T08]")
{
    auto settings = of_size(1);
    settings.output.where = brood::worker_output::goes::read;
    settings.watchdog.tick = 50ms;
    settings.watchdog.stale_after = 400ms;
    settings.watchdog.end = brood::stop_policy(std::vector<brood::stop_step>{
        brood::stop_step::signal(SIGABRT, 500ms), brood::stop_step::signal(SIGKILL, 5s)});
    cluster<spin_and_dump> workers(settings);
    auto events = workers.events();
    auto hung = co_await next_of(events, event::hung);
    auto told = clock::now();
    auto ended = co_await workers.exit();
    auto grace = clock::now() - told;
    co_await workers.ready();

    CHECK(hung.text == "spins");
    REQUIRE(ended);
    CHECK(ended->cause == exit_cause::hung);
    CHECK(ended->status.signal == SIGKILL);
    CHECK_THAT(ended->last_output, ContainsSubstring("where it spins"));
    CHECK(grace >= 450ms); // it was told a moment before it was asked
    CHECK(workers.workers().at(0).id() == 2);
    co_await workers.stop();
}
