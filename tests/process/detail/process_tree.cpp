// SPDX-License-Identifier: BSL-1.0
#include <brood/process/detail/process_tree.hpp>

#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/within.hpp"

#include <csignal>
#include <fstream>
#include <optional>
#include <string>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::task;
using brood::detail::process_tree;

namespace
{

/// A shell that starts a process, once that one runs: until then it is a copy of the shell, with
/// its traps.
task<brood::child_process> parent(std::string before)
{
    auto child = shell(before + "sleep 1000 & wait");
    auto runs = [pid = child.pid()]
    {
        auto below = children(pid);
        return !below.empty() && below.front().name == "sleep";
    };
    auto begun = co_await eventually(10s, runs);
    CHECK(begun);
    co_return child;
}

task<brood::child_process> parent()
{
    return parent("");
}

/// Starts one with this number, which nobody has any more; nothing when the system gives no choice.
task<std::optional<brood::child_process>> parent_with_pid(pid_t wanted)
{
    for (int round = 0; round < 200; ++round)
    {
        std::ofstream("/proc/sys/kernel/ns_last_pid") << wanted - 1 << std::flush;
        auto child = co_await parent();
        if (child.pid() == wanted)
            co_return child;
        child.kill_tree(SIGKILL);
        co_await child.exit();
    }
    co_return std::nullopt;
}

} // namespace

TEST_WITHIN(20s, "a tree finds who is below, once, and signals them and not the root",
            "[process_tree]")
{
    auto child = co_await parent("trap 'exit 7' TERM; ");
    process_tree tree(child.pid());
    CHECK(tree.look());
    CHECK_FALSE(tree.look());

    tree.signal(SIGTERM);
    auto status = co_await child.exit(); // the one below has ended, so the wait is over

    CHECK(status.code == 0);
    CHECK_FALSE(tree.look());
}

TEST_WITHIN(20s, "a signal reaches those as well who came since the last look", "[process_tree]")
{
    brood::spawn_options options;
    options.stdin_ = brood::stdio::pipe();
    auto child = shell("read line; sleep 1000 & wait", options);
    process_tree tree(child.pid());
    CHECK_FALSE(tree.look());
    CHECK_FALSE(tree.anyone_runs());
    co_await child.in().write("\n");
    auto begun = co_await eventually(10s, [&] { return !children(child.pid()).empty(); });
    CHECK(begun);

    tree.look_and_signal(SIGKILL);
    co_await child.exit(); // it waits for the one below

    CHECK_FALSE(tree.anyone_runs());
    CHECK_FALSE(tree.anyone_out_of_reach());
}

TEST_CASE("nobody is below nobody", "[process_tree]")
{
    process_tree none;
    CHECK_FALSE(none.look());
    none.freeze();
    none.signal(SIGKILL);
}

TEST_WITHIN(20s, "a tree that is frozen stands still, and is ended as a whole", "[process_tree]")
{
    auto child = co_await parent();
    process_tree tree(child.pid());
    child.kill(SIGSTOP);
    tree.freeze();

    auto below = children(child.pid());
    REQUIRE(below.size() == 1);
    CHECK(below.front().state == 'T');

    tree.signal(SIGKILL);
    child.kill(SIGKILL);
    co_await child.exit();
    auto ended = co_await eventually(5s, [&] { return gone(below.front().pid); });
    CHECK(ended);
}

TEST_CASE("children of a stranger that got the number later are not found", "[process_tree]")
{
    if (!std::ofstream("/proc/sys/kernel/ns_last_pid").is_open())
    {
        WARN("needs the right to choose the next pid");
        return;
    }
    within(60s,
           []() -> task<>
           {
               auto child = co_await parent();
               process_tree tree(child.pid());
               child.kill_tree(SIGKILL);
               co_await child.exit();

               auto stranger = co_await parent_with_pid(child.pid());
               REQUIRE(stranger);
               CHECK(process_tree(stranger->pid()).look());
               CHECK_FALSE(tree.look());

               stranger->kill_tree(SIGKILL);
               co_await stranger->exit();
           });
}
