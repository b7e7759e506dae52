// SPDX-License-Identifier: BSL-1.0
// Starts where the system has nothing left to give, or a sandbox refuses the newer system calls.
#include <brood/base/detail/quiet_write.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/spawn.hpp>
#include <brood/wire/internal/memory_file.hpp>
#include <brood/wire/shared_bytes.hpp>

#include "support/back_ends.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/echo.hpp"
#include "support/lowered_limit.hpp"
#include "support/scarce_descriptors.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <span>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

#include <linux/filter.h>
#include <linux/seccomp.h>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::spawn;
using brood::spawn_error;
using brood::spawn_options;
using brood::stdio;
using brood::task;
using brood::detail::launcher;
using brood::detail::watching;

namespace
{

constexpr launcher ways[] = {launcher::clone, launcher::posix_spawn, launcher::fork};

/// What a start is refused with, behind the name of the program and before what to do about it.
template <class Start>
std::string refusal(Start start)
{
    try
    {
        start().kill(SIGKILL);
    }
    catch (const spawn_error& refused)
    {
        std::string text = refused.what();
        text = text.substr(0, text.find("; "));
        return text.substr(text.find(": ") + 2);
    }
    catch (const std::exception& other)
    {
        return std::string("no spawn_error: ") + other.what();
    }
    return "nothing was refused";
}

std::string refusal_of_true()
{
    return refusal([] { return spawn("true"); });
}

/// What every way to start says when there may be no further process, and after it.
task<> start_without_processes(brood::process& self)
{
    if (::geteuid() == 0) // whom the limit does not bind
        brood::check(::setresuid(65534, 65534, 65534), "become nobody");
    for (auto way : ways)
    {
        forced_back_ends forced({way});
        std::string refused;
        {
            lowered_limit none(RLIMIT_NPROC, 0);
            refused = refusal_of_true();
        }
        self.send(refused);
        self.send(refusal_of_true());
    }
    co_return;
}

/// Waits for an end, with no descriptor left for whatever that takes.
task<int> wait_without_descriptors(brood::process& self)
{
    forced_back_ends forced({launcher::automatic, watching::sigchld});
    lowered_limit few(RLIMIT_NOFILE, 64);
    auto child = shell("exit 7");
    auto taken = all_but(0);
    auto status = co_await child.exit();
    self.exit_code(status.code);
    co_return status.code;
}

/// From here on these system calls, and clone with a pidfd, fail in this process and in all that it
/// starts. False when this kernel has no such sandboxes.
bool refuse_newer_calls(int error_number)
{
    constexpr auto number = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
    constexpr auto flags = static_cast<std::uint32_t>(offsetof(seccomp_data, args));
    auto refused = SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error_number);
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 6, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_send_signal, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, flags),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1000, 0, 1), // CLONE_PIDFD
        BPF_STMT(BPF_RET | BPF_K, refused),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// Tells what children of a process in such a sandbox do.
task<> live_in_a_sandbox(brood::process& self, int error_number)
{
    if (!refuse_newer_calls(error_number))
        co_return;
    lowered_limit few(RLIMIT_NOFILE, 64);
    auto opened = all_but(30);
    for (auto& each : opened)
        ::fcntl(each.get(), F_SETFD, 0);
    auto listed = co_await printed("ls /proc/self/fd | tr '\\n' ' '; exit 0");
    self.send(listed);
    spawn_options nowhere;
    nowhere.cwd = "/nowhere";
    self.send(refusal([&] { return spawn("true", {}, nowhere); }));
    auto sleeper = spawn("sleep", {"1000"});
    sleeper.kill(SIGUSR1);
    auto signalled = co_await sleeper.exit();
    self.send(std::to_string(signalled.signal));
    auto child = brood::fork<echo>();
    auto block = brood::shared_bytes::filled(4, [](std::span<std::byte>) {});
    child.send(5, block);
    auto reply = co_await child.message<int>();
    self.send(std::to_string(reply.value_or(0)));
    child.disconnect();
    auto ended = co_await child.exit();
    self.send(std::to_string(ended.code));
}

} // namespace

TEST_CASE("without a descriptor left a start is refused as such, and nothing is left of it",
          "[scarcity]")
{
    for (auto way : ways)
    {
        INFO("launcher " << static_cast<int>(way));
        forced_back_ends forced({way});
        within(10s,
               []() -> task<>
               {
                   lowered_limit few(RLIMIT_NOFILE, 64);
                   spawn_options pipes;
                   pipes.stdin_ = pipes.stdout_ = stdio::pipe();
                   auto taken = all_but(0);
                   CHECK(refusal_of_true() == "loop: Too many open files");
                   taken.clear();
                   co_await brood::sleep(0ms); // the loop gets what it needs
                   taken = all_but(1);
                   CHECK(refusal([&] { return spawn("true", {}, pipes); }) ==
                         "stdio pipe: Too many open files");
                   CHECK(refusal([] { return brood::fork("true"); }) ==
                         "stdio channel: Too many open files");
                   auto last = all_but(0);
                   CHECK(refusal_of_true().ends_with(": Too many open files"));
                   last.clear();
                   taken.clear();
                   CHECK(children().empty());

                   auto child = spawn("true");
                   auto status = co_await child.exit();
                   CHECK(status.success());
               });
    }
}

TEST_WITHIN(20s, "a fork that fails says so, and the next one works", "[scarcity]")
{
    auto poor = brood::fork<start_without_processes>();
    for (int count = 0; count < 3; ++count)
    {
        INFO("way " << count);
        auto refused = co_await poor.message<std::string>();
        auto later = co_await poor.message<std::string>();
        CHECK(refused == "fork: Resource temporarily unavailable");
        CHECK(later == "nothing was refused");
    }
    auto status = co_await poor.exit();
    CHECK(status.success());
}

TEST_CASE("arguments that are too many for the system fail at exec", "[scarcity]")
{
    for (auto way : ways)
    {
        INFO("launcher " << static_cast<int>(way));
        forced_back_ends forced({way});
        within(10s,
               []() -> task<>
               {
                   std::vector<std::string> words(100, std::string(100'000, 'x'));
                   CHECK(refusal([&] { return spawn("true", words); }) ==
                         "exec: Argument list too long");
                   CHECK(children().empty());
                   co_return;
               });
    }
}

TEST_CASE("a limit of the size of files is an error, and no signal", "[scarcity]")
{
    temporary_directory folder;
    brood::descriptor file(
        ::open((folder.path() / "log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    lowered_limit small(RLIMIT_FSIZE, 4096);
    auto make = []
    {
        brood::shared_bytes::filled(100'000, [](std::span<std::byte>) {});
    };
    for (bool without_memfd : {false, true})
    {
        brood::detail::without_memfd = without_memfd;
        CHECK_THROWS_WITH(make(), Catch::Matchers::ContainsSubstring("File too large"));
    }
    brood::detail::without_memfd = false;

    std::string full(4096, 'x');
    CHECK(brood::detail::quiet_write(file.get(), full) == 4096);
    CHECK(brood::detail::quiet_write(file.get(), full) == -1);
    CHECK(errno == EFBIG);
    sigset_t pending;
    ::sigpending(&pending);
    CHECK(::sigismember(&pending, SIGXFSZ) == 0);
}

TEST_WITHIN(20s, "an end is told although no descriptor is left to watch for it", "[scarcity]")
{
    auto child = brood::fork<wait_without_descriptors>();
    auto status = co_await child.exit();

    CHECK(status.code == 7);
}

TEST_CASE("a sandbox that refuses the newer system calls gets the older ways", "[scarcity]")
{
    for (int error_number : {EPERM, ENOSYS})
    {
        INFO("errno " << error_number);
        within(20s,
               [error_number]() -> task<>
               {
                   auto child = brood::fork<live_in_a_sandbox>(error_number);
                   std::vector<std::string> told;
                   for (;;)
                   {
                       auto next = co_await child.message<std::string>();
                       if (!next)
                           break;
                       told.push_back(*next);
                   }
                   auto status = co_await child.exit();
                   if (told.empty())
                       WARN("this kernel has no sandboxes");
                   else
                       CHECK(told == std::vector<std::string>{
                                         "0 1 2 3 ", "cwd '/nowhere': No such file or directory",
                                         std::to_string(SIGUSR1), "5", "0"});
                   CHECK(status.success());
               });
    }
}
