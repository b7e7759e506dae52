// SPDX-License-Identifier: BSL-1.0
// A guest in a program that is somebody else's: it has its own loop, its own threads, its own
// children and its own signal handlers.
#include <brood/process/exec.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/spawn.hpp>

#include "support/back_ends.hpp"
#include "support/catch.hpp"
#include "support/echo.hpp"
#include "support/leftovers.hpp"
#include "support/shell.hpp"
#include "support/within.hpp"

#include <asio/strand.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::spawn;
using brood::task;
using brood::detail::launcher;
using brood::detail::watching;

namespace
{

using executor = asio::any_io_executor;

/// Everything that starts a process, on the loop that is named and no other.
task<> start_in_every_way(executor on, int& done)
{
    auto spawned = spawn(on, "/bin/sh", {"-c", "exit 3"});
    auto status = co_await spawned.exit();
    done += status.code == 3;
    auto forked = brood::fork_with<echo>(on, brood::spawn_options());
    forked.send(7);
    auto reply = co_await forked.message<int>();
    done += reply == 7;
    auto result = co_await brood::exec(on, "echo text");
    done += result.out == "text\n";
    auto other = brood::fork(on, "/bin/true");
    status = co_await other.exit();
    done += status.success();
}

/// A timer of the program itself, which must not be late because of us.
task<> tick(const bool& stop, int& ticks)
{
    while (!stop)
    {
        co_await brood::sleep(1ms);
        ++ticks;
    }
}

/// Threads that are always in the middle of something a copy of this process could not go on with:
/// they allocate, and hold the locks of the C library.
class busy_threads
{
public:
    busy_threads()
    {
        ::tzset(); // the first call reads a file, which would be taken for a descriptor of ours
        for (auto& thread : threads_)
            thread = std::thread([this] { work(); });
    }

    ~busy_threads()
    {
        stop_ = true;
        for (auto& thread : threads_)
            thread.join();
    }

private:
    void work()
    {
        while (!stop_)
        {
            auto memory = std::make_unique<std::string>(1000, 'x');
            std::array<char, 64> text;
            auto now = std::time(nullptr);
            std::tm parts{};
            ::localtime_r(&now, &parts);
            rounds_ += std::strftime(text.data(), text.size(), "%c", &parts) + memory->size();
        }
    }

    std::atomic<bool> stop_ = false;
    std::atomic<std::size_t> rounds_ = 0;
    std::array<std::thread, 3> threads_;
};

volatile std::sig_atomic_t handled = 0;

void count(int)
{
    handled = handled + 1;
}

/// The handler of a signal, while it is ours, and after us what it was before.
class handler
{
public:
    handler(int number, void (*call)(int)) : number_(number)
    {
        struct sigaction ours = {};
        ours.sa_handler = call;
        ours.sa_flags = SA_RESTART;
        ::sigaction(number_, &ours, &before_);
    }

    ~handler() { ::sigaction(number_, &before_, nullptr); }

    handler(const handler&) = delete;
    handler& operator=(const handler&) = delete;

    auto now() const
    {
        struct sigaction found = {};
        ::sigaction(number_, nullptr, &found);
        return found.sa_handler;
    }

private:
    int number_;
    struct sigaction before_ = {};
};

} // namespace

TEST_CASE("a loop that the user owns runs children beside its own work, and ends after them",
          "[guest]")
{
    leftovers before;
    int done = 0, ticks = 0;
    bool stop = false;
    {
        asio::io_context loop;
        executor on = loop.get_executor();
        asio::co_spawn(loop, tick(stop, ticks), asio::detached);
        asio::co_spawn(loop, start_in_every_way(on, done),
                       [&stop](std::exception_ptr thrown) { stop = thrown == nullptr; });
        loop.run_for(patient(20s));

        CHECK(loop.stopped());
    }
    CHECK(stop);
    CHECK(done == 4);
    CHECK(ticks > 0);
    CHECK(before.sentences() == std::vector<std::string>{});
}

TEST_CASE("children start while other threads hold locks and memory, every way to start", "[guest]")
{
    busy_threads others;
    for (auto way : {launcher::clone, launcher::posix_spawn, launcher::fork})
    {
        INFO("launcher " << static_cast<int>(way));
        forced_back_ends forced({way});
        within(30s,
               []() -> task<>
               {
                   for (int round = 0; round < 50; ++round)
                   {
                       auto child = shell("exit 5");
                       auto status = co_await child.exit();
                       CHECK(status.code == 5);
                   }
                   auto child = brood::fork<echo>();
                   child.send(1);
                   auto reply = co_await child.message<int>();
                   CHECK(reply == 1);
                   child.disconnect();
                   co_await child.exit();
               });
    }
}

TEST_CASE("the program's own signal handlers stay, and are called", "[guest]")
{
    handler children_end(SIGCHLD, count), broken_pipe(SIGPIPE, count), asked(SIGTERM, count);
    forced_back_ends forced({launcher::automatic, watching::pidfd});
    handled = 0;
    within(20s,
           []() -> task<>
           {
               auto child = brood::fork<echo>();
               child.send(1);
               co_await child.message<int>();
               child.kill(SIGKILL);
               co_await child.exit();
               CHECK_THROWS_AS(child.send(1), brood::error);
               auto result = co_await brood::exec("cat; exit 4");
               CHECK(result.status.code == 4);
           });
    CHECK(handled >= 2); // one for the end of each child
    CHECK(children_end.now() == &count);
    CHECK(broken_pipe.now() == &count);
    CHECK(asked.now() == &count);
}

TEST_CASE("an end is told although the program ignores the ends of its children", "[guest]")
{
    handler ignored(SIGCHLD, SIG_IGN);
    within(20s,
           []() -> task<>
           {
               auto child = shell("exit 9");
               auto pid = child.pid();
               auto status = co_await child.exit();

               CHECK(status.pid == pid);
               CHECK((status.lost || status.code == 9));
               CHECK_FALSE(child.kill());
           });
}

TEST_WITHIN(20s, "children that the program started are its own to collect", "[guest]")
{
    std::vector<pid_t> theirs;
    for (int code = 40; code < 50; ++code)
    {
        theirs.push_back(::fork());
        if (theirs.back() == 0)
            ::_exit(code);
        auto ours = shell("exit 1");
        auto status = co_await ours.exit();
        CHECK(status.code == 1);
    }
    int code = 40;
    for (auto pid : theirs)
    {
        int status = 0;
        CHECK(::waitpid(pid, &status, 0) == pid);
        CHECK(WEXITSTATUS(status) == code++);
    }
}

TEST_CASE("several threads run one loop, with a strand for each family of children", "[guest]")
{
    for (int round = 0; round < 5; ++round)
    {
        asio::io_context loop(4);
        std::array<int, 8> done = {};
        for (auto& each : done)
        {
            executor strand = asio::make_strand(loop);
            auto all = [](executor on, int& count) -> task<>
            {
                for (int time = 0; time < 5; ++time)
                    co_await start_in_every_way(on, count);
            }(strand, each);
            asio::co_spawn(strand, std::move(all), asio::detached);
        }
        std::vector<std::thread> threads;
        for (int count = 0; count < 4; ++count)
            threads.emplace_back([&] { loop.run(); });
        for (auto& thread : threads)
            thread.join();
        for (auto count : done)
            CHECK(count == 20);
    }
    CHECK(children().empty());
}
