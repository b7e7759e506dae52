// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/readiness.hpp>

#include <brood/base/loop.hpp>
#include <brood/cluster/cluster.hpp>
#include <brood/cluster/detail/core/notice_socket.hpp>
#include <brood/cluster/supervisor.hpp>
#include <brood/process/exec.hpp>
#include <brood/process/service_manager.hpp>
#include <brood/process/spawn.hpp>

#include "support/catch.hpp"
#include "support/patience.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/ip/tcp.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using brood::cluster;
using brood::cluster_settings;
using brood::exit_cause;
using brood::readiness;
using brood::task;
using brood::test::temporary_directory;
using event = brood::cluster_event::kind;

namespace
{

/// One that runs a shell, once.
cluster_settings shell(const std::string& script)
{
    cluster_settings settings;
    settings.size = 1;
    settings.program = "sh";
    settings.args = {"-c", script};
    settings.restart.when = brood::restart::temporary;
    return settings;
}

cluster_settings once()
{
    cluster_settings settings;
    settings.size = 1;
    settings.restart.when = brood::restart::temporary;
    return settings;
}

std::chrono::milliseconds since(std::chrono::steady_clock::time_point begun)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begun);
}

task<> load_for_a_second(brood::process& self)
{
    ::sleep(1);
    self.ready();
    co_await self.shutdown();
}

task<> connect_to_a_database(brood::process& self)
{
    co_await brood::sleep(1h);
    self.ready();
}

/// Itself, or by a program that ends at once.
task<> say_ready_as_to_systemd(brood::process& self, std::string go, bool direct)
{
    self.ready(); // which is not the way here
    while (!std::filesystem::exists(go))
        co_await brood::sleep(1ms);
    if (direct)
        brood::service_manager().ready();
    else
        co_await brood::exec("python3 -c \"import os, socket; socket.socket(socket.AF_UNIX, "
                             "socket.SOCK_DGRAM).sendto(b'READY=1', "
                             "os.environ['NOTIFY_SOCKET'].replace('@', chr(0), 1))\"");
    co_await self.shutdown();
}

task<> wait_for_shutdown(brood::process& self)
{
    self.ready();
    co_await self.shutdown();
}

} // namespace

TEST_WITHIN(30s, "a program that knows nothing of brood is ready because it runs", "[readiness]")
{
    cluster<brood::executable> workers(shell("exec sleep 60"));
    auto ready = co_await workers.ready();
    auto begun = std::chrono::steady_clock::now();
    co_await workers.stop();
    auto ended = co_await workers.exit();

    CHECK(ready);
    REQUIRE(ended);
    CHECK(ended->was_ready);
    CHECK(ended->cause == exit_cause::stopped);
    CHECK(ended->status.signal == SIGTERM);
    CHECK(since(begun) < 5s); // nobody asks it by a channel, which it does not read
}

TEST_WITHIN(30s, "a program that returns 0 before it is taken to be ready has not failed",
            "[readiness]")
{
    cluster<brood::executable> workers(shell("exit 0"));
    auto ended = co_await workers.exit();

    REQUIRE(ended);
    CHECK_FALSE(ended->failed());
}

TEST_WITHIN(30s, "a program that returns before it is ready as it was asked to be has failed",
            "[readiness]")
{
    for (auto& how : {readiness::said(), readiness::after(10s), readiness::notified()})
    {
        auto settings = shell("exit 0");
        settings.ready_when = how;
        cluster<brood::executable> workers(settings);
        auto ended = co_await workers.exit();

        REQUIRE(ended);
        CHECK_FALSE(ended->was_ready);
        CHECK(ended->failed());
    }
}

TEST_WITHIN(30s, "a program that ends with another code has failed", "[readiness]")
{
    cluster<brood::executable> workers(shell("exit 3"));
    auto ended = co_await workers.exit();

    REQUIRE(ended);
    CHECK(ended->failed());
}

TEST_WITHIN(30s, "a supervisor keeps a program that knows nothing of brood", "[readiness]")
{
    brood::supervisor all;
    brood::child_settings settings;
    settings.start_within = 3s;
    all.add("web", "sh", {"-c", "exec sleep 60"}, settings);
    all.start();
    auto ready = co_await all.ready();
    co_await brood::sleep(3'500ms);
    auto children = all.children();
    co_await all.stop();

    CHECK(ready);
    REQUIRE(children.size() == 1);
    CHECK(children[0].ready);
    CHECK(children[0].starts == 1);
}

TEST_WITHIN(30s, "it can be ready as soon as it runs, or after a time", "[readiness]")
{
    auto at_once = shell("exec sleep 60"), later = at_once;
    at_once.ready_when = readiness::running();
    later.ready_when = readiness::after(300ms);
    auto begun = std::chrono::steady_clock::now();
    cluster<brood::executable> first(at_once), second(later);
    auto first_ready = co_await first.ready();
    auto first_took = since(begun);
    auto second_ready = co_await second.ready();
    auto second_took = since(begun);
    co_await first.stop();
    co_await second.stop();

    CHECK(first_ready);
    CHECK(first_took < brood::test::patient(300ms));
    CHECK(second_ready);
    CHECK(second_took >= 300ms);
}

TEST_WITHIN(30s, "it can be ready when it prints a line", "[readiness]")
{
    auto settings = shell("echo loading; sleep 0.3; echo 'now listening'; exec sleep 60");
    settings.ready_when = readiness::printing("listening");
    settings.output.where = brood::worker_output::goes::read;
    auto begun = std::chrono::steady_clock::now();
    cluster<brood::executable> workers(settings);
    auto ready = co_await workers.ready();
    auto took = since(begun);
    co_await workers.stop();

    CHECK(ready);
    CHECK(took >= 300ms);
}

TEST_WITHIN(30s, "it can be ready when a port accepts", "[readiness]")
{
    asio::ip::tcp::acceptor port(brood::default_executor());
    port.open(asio::ip::tcp::v4());
    port.bind({asio::ip::address_v4::loopback(), 0});
    auto settings = shell("exec sleep 60");
    settings.ready_when = readiness::accepting(port.local_endpoint().port());
    cluster<brood::executable> workers(settings);
    co_await brood::sleep(300ms);
    auto state_before = workers.workers().at(0).state();
    port.listen();
    auto ready = co_await workers.ready();
    co_await workers.stop();

    CHECK(state_before == brood::worker_state::starting);
    CHECK(ready);
}

TEST_WITHIN(30s, "it can be ready when it, or one that it has started, says so as to systemd",
            "[readiness]")
{
    temporary_directory folder;
    auto go = folder.path().string() + "/go";
    for (auto direct : {true, false})
    {
        auto settings = once();
        settings.ready_when = readiness::notified();
        cluster<say_ready_as_to_systemd> workers(settings, go, direct);
        auto only = workers.workers().at(0);
        while (only.state() != brood::worker_state::online)
            co_await brood::sleep(1ms);
        co_await brood::sleep(50ms);
        CHECK(only.state() == brood::worker_state::online); // it said ready() already
        std::ofstream(go) << "go";
        auto ready = co_await only.ready();

        CHECK(ready);
        co_await workers.stop();
        std::filesystem::remove(go);
    }
}

TEST_WITHIN(30s, "a program of another kind that says READY=1 is kept by a supervisor",
            "[readiness]")
{
    brood::child_settings settings;
    settings.ready_when = readiness::notified();
    brood::supervisor top;
    top.add("service", "python3",
            {"-c", "import os, socket, time\n"
                   "to = os.environ['NOTIFY_SOCKET'].replace('@', '\\0', 1)\n"
                   "by = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                   "by.sendto(b'STATUS=READY=1', to)\n"
                   "time.sleep(0.2)\n"
                   "by.sendto(b'STATUS=here\\nREADY=1\\nMAINPID=1', to)\n"
                   "for _ in range(1000): by.sendto(b'WATCHDOG=1', to)\n" // nobody's send waits
                   "open('/proc/self/comm', 'w').write('sent')\n"
                   "time.sleep(60)\n"},
            settings);
    auto begun = std::chrono::steady_clock::now();
    top.start();
    auto ready = co_await top.ready();

    CHECK(ready);
    CHECK(since(begun) >= 200ms);
    std::string name;
    while (name != "sent")
    {
        co_await brood::sleep(1ms);
        std::ifstream("/proc/" + std::to_string(top.worker("service").pid()) + "/comm") >> name;
    }
    co_await top.stop();
}

TEST_WITHIN(30s, "a process that is none of the worker's is not believed", "[readiness]")
{
    auto socket = std::make_shared<brood::detail::notice_socket>(brood::default_executor());
    auto child = brood::spawn("sleep", {"60"});
    auto executor = brood::default_executor();
    auto heard = std::make_shared<int>(0);
    auto hearing = [](auto from, pid_t of, std::shared_ptr<int> count) -> task<>
    {
        auto ready = co_await brood::detail::notice_socket::next_ready(from, of);
        *count = ready ? 1 : 2;
    };
    asio::co_spawn(executor, hearing(socket, child.pid(), heard), asio::detached);
    ::setenv("NOTIFY_SOCKET", socket->name().c_str(), 1);
    brood::service_manager manager;
    manager.ready(); // we are above the child, not below
    for (int turn = 0; turn < 20; ++turn)
        co_await brood::sleep(1ms);
    CHECK(*heard == 0);
    socket->close();
    while (*heard == 0)
        co_await brood::sleep(1ms);

    CHECK(*heard == 2);
    child.kill(SIGKILL);
    co_await child.exit();
}

TEST_CASE("a notice is lines, one of which says ready", "[readiness]")
{
    using brood::detail::says_ready;
    CHECK(says_ready("READY=1"));
    CHECK(says_ready("STATUS=x\nREADY=1\n"));
    CHECK_FALSE(says_ready("READY=0\nREADY=11\nSTATUS=READY=1\n READY=1"));
    CHECK_FALSE(says_ready(""));
    CHECK_FALSE(says_ready("\n\n"));
}

TEST_WITHIN(30s, "one that is not ready in time is told with what was missing", "[readiness]")
{
    auto settings = shell("exec sleep 60");
    settings.ready_when = readiness::said();
    settings.start_within = 200ms;
    cluster<brood::executable> workers(settings);
    auto ended = co_await workers.exit();

    REQUIRE(ended);
    CHECK(ended->cause == exit_cause::start_timeout);
    CHECK(ended->reason == "it called neither ready() nor listen(), and awaited no message");
    CHECK(ended->uptime < 5s);
    CHECK(what_was_missing(readiness::accepting(80)) == "nobody accepted at port 80 of 127.0.0.1");
    CHECK(what_was_missing(readiness::accepting(80, "::1")) == "nobody accepted at port 80 of ::1");
    CHECK(what_was_missing(readiness::printing("up")) == "it printed no line with \"up\"");
    CHECK(what_was_missing(readiness::notified()) ==
          "it did not send READY=1 to its NOTIFY_SOCKET");
}

TEST_CASE("what is not read cannot be waited for", "[readiness]")
{
    auto settings = shell("");
    settings.ready_when = readiness::printing("up");

    CHECK_THROWS_AS(settings.check(), std::invalid_argument);
}

TEST_WITHIN(30s, "a worker that loads for longer than the watchdog bears is let load",
            "[readiness]")
{
    auto settings = once();
    settings.watchdog.tick = 20ms;
    settings.watchdog.stale_after = 200ms;
    cluster<load_for_a_second> workers(settings);
    auto ready = co_await workers.ready();
    co_await workers.stop();

    CHECK(ready);
}

TEST_WITHIN(30s, "a worker that a debugger holds is spared, and that is told", "[readiness]")
{
    auto settings = once();
    settings.watchdog.tick = 20ms;
    settings.watchdog.stale_after = 200ms;
    cluster<wait_for_shutdown> workers(settings);
    co_await workers.ready();
    auto only = workers.workers().at(0);
    auto events = workers.events();
    auto held = ::ptrace(PTRACE_SEIZE, only.pid(), nullptr, nullptr) == 0 &&
                ::ptrace(PTRACE_INTERRUPT, only.pid(), nullptr, nullptr) == 0 &&
                ::waitpid(only.pid(), nullptr, __WALL) == only.pid();
    if (held)
    {
        auto told = co_await events.next();
        REQUIRE(told);
        CHECK(told->what == event::spared);
        CHECK(told->text == "stopped, and process " + std::to_string(::getpid()) + " traces it");
        CHECK_FALSE(only.is_dead());
        ::ptrace(PTRACE_DETACH, only.pid(), nullptr, nullptr);
    }
    else
    {
        WARN("nothing can be traced here");
    }
    co_await workers.stop();
    auto ended = only.ended();

    REQUIRE(ended);
    CHECK(ended->cause == exit_cause::stopped);
}

TEST_WITHIN(30s, "workers that cannot be started, and are not to be, end their cluster",
            "[readiness]")
{
    for (std::size_t failures : {5U, 0U})
    {
        cluster_settings settings;
        settings.size = 3;
        settings.program = "/no/such/program";
        settings.restart.per_slot.failures = failures;
        if (failures != 0)
            settings.restart.when = brood::restart::temporary;
        cluster<brood::executable> workers(settings);
        std::size_t ends = 0;
        bool failed = false;
        try
        {
            for (;;)
            {
                auto ended = co_await workers.exit();
                if (!ended)
                    break;
                ++ends;
            }
        }
        catch (const brood::error& why)
        {
            failed = why.code() == brood::errc::too_many_failures;
        }

        CHECK(ends == (failures != 0 ? 3U : 1U));
        CHECK(failed == (failures == 0));
        CHECK((workers.failure() != nullptr) == failed);
    }
}

TEST_WITHIN(30s, "a stop does not wait for workers that were never ready", "[readiness]")
{
    auto settings = once();
    cluster<connect_to_a_database> workers(settings);
    co_await brood::sleep(300ms);
    auto begun = std::chrono::steady_clock::now();
    co_await workers.stop();

    CHECK(since(begun) < 8s);
}
