// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/signal_table.hpp>

#include <brood/cluster/cluster.hpp>
#include <brood/cluster/supervisor.hpp>
#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/notified_manager.hpp"
#include "support/patience.hpp"
#include "support/process_table.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/write.hpp>

#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::process;
using brood::signal_action;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

using pids = std::vector<pid_t>;

brood::cluster_settings two()
{
    brood::cluster_settings settings;
    settings.size = 2;
    return settings;
}

task<> until_stopped(process& self)
{
    self.ready();
    co_await self.shutdown();
}

task<> never_stops(process& self)
{
    std::signal(SIGTERM, SIG_IGN);
    self.ready();
    for (;;)
        co_await brood::sleep(1h);
}

/// Answers each connection with its pid, a while after it came.
task<> answers_late(process& self)
{
    auto listener = co_await self.listen(0);
    for (;;)
    {
        auto client = co_await listener.accept();
        if (!client)
            break;
        self.send(listener.local_endpoint().port()); // it has one
        co_await brood::sleep(300ms);
        co_await asio::async_write(*client, asio::buffer("done", 4), asio::use_awaitable);
    }
}

template <class Cluster>
pids pids_of(const Cluster& workers)
{
    pids result;
    for (auto& each : workers.workers())
        if (each.state() == brood::worker_state::ready)
            result.push_back(each.pid());
    return result;
}

/// Tells the parent which workers are ready whenever that has changed, until it is over.
template <class Cluster>
task<> tell_changes(process& self, Cluster& workers, std::shared_ptr<bool> over)
{
    pids told;
    while (!*over)
    {
        auto now = pids_of(workers);
        if (now != told)
            self.send(now);
        told = now;
        co_await brood::sleep(2ms);
    }
}

template <auto Worker>
task<> primary(process& self)
{
    cluster<Worker> workers(two());
    auto table = brood::conventional_signals();
    table.on_reload = [&self](const brood::reload_report& report)
    {
        self.send(to_string(report));
    };
    auto over = std::make_shared<bool>(false);
    auto executor = workers.executor();
    asio::co_spawn(executor, tell_changes(self, workers, over), asio::detached);
    co_await brood::obey_signals(workers, table);
    *over = true;
}

/// A supervisor of two, which tells the ready ones as often as they change.
template <auto Worker>
task<> top(process& self)
{
    brood::supervisor tree(brood::strategy::rest_for_one);
    brood::cluster_settings one;
    one.size = 1;
    tree.add<Worker>("web").template add_cluster<Worker>("pool", one);
    tree.start();
    co_await tree.ready();
    auto table = brood::conventional_signals();
    table.on_reload = [&self](const brood::reload_report& report)
    {
        self.send(to_string(report));
    };
    self.send(pids{tree.worker("web").pid(), tree.worker("pool/0").pid()});
    co_await brood::obey_signals(tree, table);
}

/// A primary whose stderr is full of what nobody reads.
task<> mute_primary(process& self)
{
    auto flags = ::fcntl(2, F_GETFL);
    ::fcntl(2, F_SETFL, flags | O_NONBLOCK);
    std::string text(4096, '.');
    while (::write(2, text.data(), text.size()) > 0)
        continue;
    ::fcntl(2, F_SETFL, flags);
    co_await primary<never_stops>(self);
}

brood::spawn_options with_stderr()
{
    brood::spawn_options options;
    options.stderr_ = brood::stdio::pipe();
    return options;
}

/// The first terminal that the leader of a session opens is its own.
task<> tell_whether_winch_is_obeyed(process& self, std::string terminal)
{
    brood::descriptor own;
    if (!terminal.empty())
        own = brood::descriptor(::open(terminal.c_str(), O_RDWR | O_CLOEXEC));
    auto table = brood::conventional_signals();
    self.send(table.actions.contains(SIGWINCH));
    co_return;
}

/// The next list of workers that has so many.
task<pids> so_many(brood::forked_process& of, std::size_t count)
{
    for (;;)
    {
        auto next = co_await of.message<pids, std::string>();
        REQUIRE(next);
        auto found = std::get_if<pids>(&*next);
        if (found != nullptr && found->size() == count)
            co_return *found;
    }
}

} // namespace

TEST_WITHIN(30s, "TTIN adds a worker, TTOU takes one away, WINCH all, and TERM ends it",
            "[signal_table]")
{
    brood::spawn_options options;
    options.group = brood::process_group::new_session(); // without a terminal
    auto child = brood::fork_with<primary<until_stopped>>(brood::default_executor(), options);
    co_await so_many(child, 2);
    child.kill(SIGTTIN);
    co_await so_many(child, 3);
    child.kill(SIGTTOU);
    co_await so_many(child, 2);
    child.kill(SIGWINCH);
    co_await so_many(child, 0);
    child.kill(SIGTTIN);
    co_await so_many(child, 1);
    child.kill(SIGTTOU); // one stays
    child.kill(SIGTERM);
    auto status = co_await child.exit();

    CHECK(status.success());
}

TEST_WITHIN(30s, "two TTIN add two workers, however close they are", "[signal_table]")
{
    auto executor = co_await asio::this_coro::executor;
    cluster<until_stopped> workers(two());
    co_await workers.ready();
    brood::signal_table table;
    table.actions = {{SIGUSR1, signal_action::add_worker}};
    asio::co_spawn(executor, brood::obey_signals(workers, table), asio::detached);
    brood::reload_options slow; // what else is asked for waits for it
    slow.settle = 300ms;
    asio::co_spawn(executor, workers.reload(slow), asio::detached);
    co_await brood::sleep(50ms);

    ::raise(SIGUSR1);
    co_await brood::sleep(50ms);
    ::raise(SIGUSR1);

    auto grown = co_await eventually(10s, [&] { return workers.size() == 4; });
    CHECK(grown);
    co_await workers.stop();
}

TEST_WITHIN(20s, "one worker always stays when workers are removed one by one", "[signal_table]")
{
    auto executor = co_await asio::this_coro::executor;
    cluster<until_stopped> workers(two());
    brood::signal_table table;
    table.actions = {{SIGUSR1, signal_action::remove_worker}, {SIGUSR2, signal_action::add_worker}};
    asio::co_spawn(executor, brood::obey_signals(workers, table), asio::detached);
    co_await workers.ready();
    for (int signal : {SIGUSR1, SIGUSR1, SIGUSR2})
        ::raise(signal);

    auto grown = co_await eventually(10s, [&] { return workers.stats().starts == 3; });
    CHECK(grown);
    CHECK(workers.size() == 2);
    co_await workers.stop();
}

TEST_WITHIN(20s, "a terminal whose window changes size removes no worker", "[signal_table]")
{
    brood::descriptor ours(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    REQUIRE(ours);
    ::grantpt(ours.get());
    ::unlockpt(ours.get());
    std::string terminal = ::ptsname(ours.get());
    brood::spawn_options options;
    options.group = brood::process_group::new_session();
    auto child = brood::fork_with<tell_whether_winch_is_obeyed>(brood::default_executor(), options,
                                                                std::string());
    auto without = co_await child.message<bool>();
    auto other = brood::fork_with<tell_whether_winch_is_obeyed>(brood::default_executor(), options,
                                                                terminal);
    auto with = co_await other.message<bool>();
    co_await child.exit();
    co_await other.exit();

    CHECK(without == true);
    CHECK(with == false);
}

TEST_WITHIN(30s, "HUP replaces every worker", "[signal_table]")
{
    auto child = brood::fork<primary<until_stopped>>();
    auto before = co_await so_many(child, 2);
    child.kill(SIGHUP);
    std::string report;
    while (report.empty())
    {
        auto next = co_await child.message<pids, std::string>();
        REQUIRE(next);
        if (auto text = std::get_if<std::string>(&*next))
            report = *text;
    }
    child.kill(SIGTERM);
    auto status = co_await child.exit();

    CHECK(report == "replaced 2 workers");
    CHECK(status.success());
    for (auto pid : before)
        CHECK(gone(pid));
}

TEST_WITHIN(30s, "a service manager hears of the reload that HUP asks for", "[signal_table]")
{
    temporary_directory folder;
    notified_manager over((folder.path() / "notify").string());
    auto child = brood::fork<[](process& self) -> task<>
                             {
                                 auto settings = two();
                                 settings.manager.emplace();
                                 cluster<until_stopped> workers(settings);
                                 co_await workers.ready();
                                 auto table = brood::conventional_signals();
                                 table.on_reload = [&self](const brood::reload_report& report)
                                 {
                                     self.send(report.complete());
                                 };
                                 auto obeying = brood::obey_signals(workers, table);
                                 self.send(true);
                                 co_await std::move(obeying);
                             }>();
    co_await child.message<bool>();
    child.kill(SIGHUP);
    auto complete = co_await child.message<bool>();
    CHECK(complete == true);
    CHECK_THAT(over.heard(), ContainsSubstring("RELOADING=1\nMONOTONIC_USEC="));
    CHECK(over.heard() == "READY=1");
    child.kill(SIGTERM);
    co_await child.exit();
}

TEST_WITHIN(30s, "TERM lets a request in progress finish", "[signal_table][T10]")
{
    auto child = brood::fork<[](process& self) -> task<>
                             {
                                 cluster<answers_late> workers(two());
                                 co_await workers.ready();
                                 self.send(workers.workers()[0].port());
                                 auto forward = [](process& to, auto& from) -> task<>
                                 {
                                     co_await from.template message<std::uint16_t>();
                                     to.send(std::uint16_t{1});
                                 };
                                 auto executor = workers.executor();
                                 auto forwarding = forward(self, workers);
                                 asio::co_spawn(executor, std::move(forwarding), asio::detached);
                                 co_await brood::obey_signals(workers);
                             }>();
    auto port = co_await child.message<std::uint16_t>();
    REQUIRE(port);
    auto client = co_await connect_to(*port);
    co_await child.message<std::uint16_t>(); // it was accepted
    child.kill(SIGTERM);
    auto text = co_await read_all(std::move(client));
    auto status = co_await child.exit();

    CHECK(text == "done");
    CHECK(status.success());
}

TEST_CASE("a second TERM, or INT, does not wait for workers that do not end", "[signal_table][T11]")
{
    for (bool twice : {true, false})
        within(20s,
               [&]() -> task<>
               {
                   auto child = brood::fork<primary<never_stops>>();
                   auto workers = co_await so_many(child, 2);
                   if (twice)
                   {
                       child.kill(SIGTERM);
                       co_await so_many(child, 0); // they are draining
                       child.kill(SIGTERM);
                   }
                   else
                   {
                       child.kill(SIGINT);
                   }
                   auto status = co_await child.exit();

                   CHECK(status.success());
                   for (auto pid : workers)
                       CHECK(gone(pid));
               });
}

TEST_CASE("QUIT tells how the workers were, and does not wait for them; INT says nothing",
          "[signal_table]")
{
    for (int signal : {SIGQUIT, SIGINT})
        within(20s,
               [signal]() -> task<>
               {
                   auto options = with_stderr();
                   auto executor = brood::default_executor();
                   auto child = brood::fork_with<primary<never_stops>>(executor, options);
                   auto workers = co_await so_many(child, 2);
                   child.kill(signal);
                   auto text = co_await child.err().read_all();
                   auto status = co_await child.exit();

                   CHECK(status.success());
                   CHECK(text.empty() == (signal == SIGINT));
                   for (auto pid : workers)
                   {
                       CHECK(gone(pid));
                       if (signal == SIGQUIT)
                           CHECK_THAT(text, ContainsSubstring(std::to_string(pid) + "  ready"));
                   }
               });
}

TEST_WITHIN(20s, "QUIT does not wait for who reads no stderr", "[signal_table]")
{
    auto options = with_stderr();
    auto executor = brood::default_executor();
    auto child = brood::fork_with<mute_primary>(executor, options);
    co_await so_many(child, 2);
    child.kill(SIGQUIT);
    auto status = co_await child.exit();

    CHECK(status.success());
}

TEST_WITHIN(20s, "a signal that cannot be caught is refused", "[signal_table]")
{
    cluster<until_stopped> workers(two());
    brood::signal_table table;
    table.actions = {{SIGKILL, signal_action::stop}};
    CHECK_THROWS_AS(brood::obey_signals(workers, table), std::system_error);
    co_await workers.stop();
}

TEST_WITHIN(30s, "a supervisor obeys: HUP replaces all workers, and TERM ends it", "[signal_table]")
{
    auto child = brood::fork<top<until_stopped>>();
    auto workers = co_await so_many(child, 2);
    child.kill(SIGHUP);
    auto report = co_await child.message<std::string>();
    for (auto pid : workers)
        CHECK(gone(pid));
    child.kill(SIGTERM);
    auto status = co_await child.exit();

    CHECK(report == "replaced 2 workers");
    CHECK(status.success());
}

TEST_CASE("a supervisor ends at once at a second TERM, and at QUIT, which tells how it was",
          "[signal_table]")
{
    for (int signal : {SIGTERM, SIGQUIT})
        within(20s,
               [signal]() -> task<>
               {
                   auto options = with_stderr();
                   auto executor = brood::default_executor();
                   auto child = brood::fork_with<top<never_stops>>(executor, options);
                   auto workers = co_await so_many(child, 2);
                   child.kill(signal);
                   while (signal == SIGTERM && !gone(workers[1])) // two at once would be one
                   {
                       child.kill(signal);
                       co_await brood::sleep(20ms);
                   }
                   auto text = co_await child.err().read_all();
                   auto status = co_await child.exit();

                   CHECK(status.success());
                   for (auto pid : workers)
                       CHECK(gone(pid));
                   if (signal == SIGQUIT)
                       CHECK_THAT(text, ContainsSubstring("pool/0  " + std::to_string(workers[1]) +
                                                          "  ready"));
               });
}
