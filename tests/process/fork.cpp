// SPDX-License-Identifier: BSL-1.0
#include <brood/process/fork.hpp>

#include <brood/process/detail/forking.hpp>
#include <brood/process/detail/inheritance.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <sys/prctl.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using brood::process;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

struct square
{
    int number = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number);
    }
};

task<> echo(process& self)
{
    while (auto text = co_await self.message<std::string>())
        self.send(*text);
}

task<> two_messages(process& self)
{
    self.send(1);
    self.send(2);
    co_return;
}

task<> answer(process& self)
{
    auto by = [](square of) -> task<int>
    {
        if (of.number < 0)
            throw std::invalid_argument("negative");
        co_return of.number* of.number;
    };
    co_await self.serve(by);
}

task<> never_answer(process& self)
{
    auto by = [](square) -> task<int>
    {
        co_await brood::sleep(1h);
        co_return 0;
    };
    co_await self.serve(by);
}

task<> ignore_parent(process&)
{
    co_await brood::sleep(1h);
}

task<> print_and_work_on(process& self)
{
    co_await self.message<int>();
    std::cout << "a line for the log" << std::endl;
    self.send(std::string("still there"));
}

task<> tell_names(process& self)
{
    std::string kernel;
    std::getline(std::ifstream("/proc/self/comm"), kernel);
    self.send(self.argv().at(0));
    self.send(kernel);
    co_return;
}

task<> tell_death_signal(process& self)
{
    int signal = 0;
    ::prctl(PR_GET_PDEATHSIG, &signal);
    self.send(signal);
    self.send(int(self.env().get("BROOD_PARENT").has_value()));
    co_return;
}

/// This program once more, with a capability that the kernel gives to whoever runs its file; empty
/// where that cannot be.
std::string copy_with_capability(const std::filesystem::path& folder)
{
    auto copy = folder / "capable";
    std::filesystem::copy_file(std::filesystem::read_symlink("/proc/self/exe"), copy);
    std::filesystem::permissions(folder, std::filesystem::perms(0755));
    std::filesystem::permissions(copy, std::filesystem::perms(0755));
    // vfs_cap_data of linux/capability.h, revision 2, effective: CAP_NET_BIND_SERVICE.
    const std::uint32_t data[] = {0x02000001, 1U << 10, 0, 0, 0};
    auto given = ::setxattr(copy.c_str(), "security.capability", data, sizeof data, 0) == 0;
    return given && ::geteuid() == 0 ? copy.string() : "";
}

task<> talk_without_end(process& self)
{
    for (;;)
    {
        auto room = self.send(std::string(10000, 't'));
        if (!room)
            co_await self.drain();
    }
}

task<> die_while_a_child_talks(process& self)
{
    auto child = brood::fork<talk_without_end>();
    for (int number = 0; number < 20; ++number)
        co_await child.message<std::string>();
    ::kill(self.pid(), SIGKILL);
}

task<> fork_another(process& self)
{
    auto child = brood::fork<tell_names>();
    auto said = co_await child.message<std::string>();
    self.send(said.value_or("nothing"));
    co_await child.exit();
}

task<> write_garbage(process& self)
{
    co_await self.flush();
    // The channel is the one socket among the descriptors of a forked child.
    std::string garbage(4096, 'x');
    for (int number = 3; number < 16; ++number)
        [[maybe_unused]] auto count = ::send(number, garbage.data(), garbage.size(), MSG_NOSIGNAL);
    co_await brood::sleep(1h);
}

} // namespace

TEST_WITHIN(10s, "a forked child answers in the order it was asked", "[fork]")
{
    auto child = brood::fork<echo>();
    child.send(std::string("first"));
    child.send(std::string("second"));

    auto first = co_await child.message<std::string>();
    auto second = co_await child.message<std::string>();

    CHECK(first == "first");
    CHECK(second == "second");
    child.disconnect();
    auto status = co_await child.exit();
    CHECK(status.success());
}

TEST_CASE("messages come first, then disconnected, then exit, then closed",
          "[fork][node-39][node-B8]")
{
    for (int round = 0; round < 50; ++round)
        within(10s,
               []() -> task<>
               {
                   auto child = brood::fork<two_messages>();
                   auto status = co_await child.exit();
                   CHECK(status.success());
                   CHECK_FALSE(child.connected());

                   co_await child.disconnected();
                   auto one = co_await child.message<int>();
                   auto two = co_await child.message<int>();
                   auto end = co_await child.message<int>();

                   CHECK(one == 1);
                   CHECK(two == 2);
                   CHECK_FALSE(end);
                   auto closed = co_await child.closed();
                   CHECK(closed == status);
               });
}

TEST_WITHIN(10s, "a handle that outlives its child keeps no descriptor, but what the child said",
            "[fork]")
{
    auto first = brood::fork<two_messages>(); // the loop opens its own descriptors
    co_await first.closed();
    auto before = brood::test::open_descriptors();

    auto child = brood::fork<two_messages>();
    co_await child.closed();

    CHECK(brood::test::changes(before, brood::test::open_descriptors()) ==
          std::vector<std::string>{});
    auto one = co_await child.message<int>();
    auto two = co_await child.message<int>();
    CHECK(one == 1);
    CHECK(two == 2);
}

TEST_WITHIN(10s, "a call to a forked child gives its reply, or what its handler threw", "[fork]")
{
    auto child = brood::fork<answer>();
    square nine{9}, negative{-1};

    auto result = co_await child.call<int>(nine);
    CHECK(result == 81);

    std::string thrown;
    try
    {
        co_await child.call<int>(negative);
    }
    catch (const brood::remote_error& error)
    {
        thrown = error.type() + ": " + error.message();
    }
    CHECK(thrown == "std::invalid_argument: negative");
    co_await child.stop();
}

TEST_WITHIN(10s, "a call ends at once when the child is killed", "[fork]")
{
    auto child = brood::fork<never_answer>();
    square one{1};
    auto reply = child.call<int>(one);
    child.kill(SIGKILL);

    std::error_code code;
    try
    {
        co_await std::move(reply);
    }
    catch (const brood::error& error)
    {
        code = error.code();
    }

    CHECK(code == brood::errc::closed);
    co_await child.exit();
}

TEST_WITHIN(10s, "a send to a child that has gone is an error and no signal", "[fork]")
{
    auto child = brood::fork<echo>();
    child.kill(SIGKILL);
    co_await child.exit();

    CHECK_THROWS_AS(child.send(std::string("late")), brood::error);
}

TEST_WITHIN(
    10s, "a child that writes garbage is an error that names its pid, and ends only that channel",
    "[fork]")
{
    auto broken = brood::fork<write_garbage>();
    auto good = brood::fork<echo>();

    std::string what;
    try
    {
        co_await broken.message<int>();
    }
    catch (const brood::error& error)
    {
        what = error.what();
    }
    CHECK_THAT(what, ContainsSubstring("process " + std::to_string(broken.pid())));
    CHECK_THAT(what, ContainsSubstring("malformed"));

    good.send(std::string("still here"));
    auto text = co_await good.message<std::string>();
    CHECK(text == "still here");
    co_await broken.stop(brood::stop_policy(1s));
    co_await good.stop();
}

TEST_WITHIN(10s, "a program that is not brood's ends the channel without a message", "[fork]")
{
    auto child = brood::fork("true");

    auto message = co_await child.message<int>();

    CHECK_FALSE(message);
    auto status = co_await child.exit();
    CHECK(status.success());
}

TEST_WITHIN(10s, "a program that cannot be forked is a spawn_error that names the step", "[fork]")
{
    CHECK_THROWS_WITH(brood::fork("./nothing-here"),
                      ContainsSubstring("spawn './nothing-here': exec: No such file"));
    co_return;
}

TEST_WITHIN(10s, "a copy that was started for an entry and has not run it forks no other", "[fork]")
{
    auto [ours, theirs] = brood::detail::local_pair();
    auto channel = brood::detail::name_of_channel(theirs.get(), theirs);
    ::setenv(brood::detail::channel_variable, channel.c_str(), 1);
    ::setenv(brood::detail::entry_variable, "some entry", 1);
    CHECK_THROWS_WITH(brood::fork<ignore_parent>(), ContainsSubstring("must call brood::run()"));
    ::unsetenv(brood::detail::channel_variable);
    ::unsetenv(brood::detail::entry_variable);
    co_return;
}

TEST_WITHIN(10s, "a forked entry is called as its program and itself, for people and the kernel",
            "[fork]")
{
    auto child = brood::fork<tell_names>();
    auto argv0 = co_await child.message<std::string>();
    auto kernel = co_await child.message<std::string>();
    co_await child.exit();

    auto program = std::filesystem::read_symlink("/proc/self/exe");
    CHECK(argv0 == program.string() + ": tell_names");
    CHECK(kernel == program.filename().string().substr(0, 15));
}

TEST_WITHIN(10s, "a forked child works on when nobody reads what it prints any more", "[fork]")
{
    brood::spawn_options options;
    options.stdout_ = brood::stdio::pipe();
    auto child = brood::fork_with<print_and_work_on>(options);
    child.out().close();
    child.send(1);
    auto said = co_await child.message<std::string>();
    auto status = co_await child.exit();

    CHECK(said == "still there");
    CHECK(status.success());
}

TEST_WITHIN(10s, "an entry is found where /proc/self/exe is another program", "[fork]")
{
    auto linker = std::filesystem::exists("/lib64/ld-linux-x86-64.so.2")
                      ? "/lib64/ld-linux-x86-64.so.2"
                      : "/lib/ld-linux-aarch64.so.1";
    auto program = std::filesystem::read_symlink("/proc/self/exe").string();
    auto name = brood::detail::registered<fork_another>::listed->name;
    auto child = brood::detail::fork(brood::default_executor(), linker, {program},
                                     brood::spawn_options(), name);
    auto said = co_await child.message<std::string>();
    co_await child.exit();

    CHECK(said == program + ": tell_names");
}

TEST_WITHIN(30s, "a child whose program has file capabilities dies with its parent as well",
            "[fork]")
{
    brood::test::temporary_directory folder;
    brood::spawn_options options;
    options.entry_program = copy_with_capability(folder.path());
    options.uid = 65534;
    options.die_with_parent = true;
    if (options.entry_program.empty())
    {
        WARN("needs root, and a file system that keeps capabilities");
        co_return;
    }
    auto child = brood::fork_with<tell_death_signal>(options);
    auto signal = co_await child.message<int>();
    auto is_told_on = co_await child.message<int>();
    co_await child.exit();

    CHECK(signal == SIGKILL);
    CHECK(is_told_on == 0);
}

TEST_WITHIN(60s, "a child whose parent is killed while it sends says nothing", "[fork]")
{
    for (int round = 0; round < 10; ++round)
    {
        brood::spawn_options options;
        options.stderr_ = brood::stdio::pipe();
        auto parent = brood::fork_with<die_while_a_child_talks>(options);
        auto noise = co_await parent.err().read_all(); // of both
        auto status = co_await parent.exit();

        CHECK(noise == "");
        CHECK(status.signal == SIGKILL);
    }
}

TEST_WITHIN(10s, "dropping a forked child that ignores its parent stops it", "[fork]")
{
    auto child = brood::fork<ignore_parent>();
    auto pid = child.pid();
    child = brood::forked_process();
    CHECK(::kill(pid, 0) == 0);
    co_return;
}

TEST_WITHIN(60s, "a hundred forked children talk at once and leave nothing", "[fork]")
{
    std::vector<brood::forked_process> children;
    for (int index = 0; index < 100; ++index)
    {
        children.push_back(brood::fork<echo>());
        children.back().send(std::to_string(index));
    }
    for (int index = 0; index < 100; ++index)
    {
        auto text = co_await children[static_cast<std::size_t>(index)].message<std::string>();
        CHECK(text == std::to_string(index));
    }
    for (auto& child : children)
        child.disconnect();
    for (auto& child : children)
    {
        auto status = co_await child.exit();
        CHECK(status.success());
    }
}
