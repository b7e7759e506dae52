// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/worker_limits.hpp>

#include "support/catch.hpp"

#include <csignal>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace brood::test
{

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
inline constexpr bool sanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool sanitized = false;
#endif

/// What a child said, and how it ended.
struct child_story
{
    std::string said;
    exit_status ended;
};

/// What the body says in a copy of this process; an exception says what it is.
inline child_story in_child(const std::function<std::string()>& body)
{
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    auto child = ::fork();
    if (child == 0)
    {
        for (auto each : {SIGABRT, SIGSEGV, SIGTERM}) // Catch would tell of a test that failed
            std::signal(each, SIG_DFL);
        rlimit no_core{};
        ::setrlimit(RLIMIT_CORE, &no_core);
        std::string said;
        try
        {
            said = body();
        }
        catch (const std::exception& thrown)
        {
            said = thrown.what();
        }
        [[maybe_unused]] auto count = ::write(ends[1], said.data(), said.size());
        ::_exit(0);
    }
    ::close(ends[1]);
    child_story story;
    char part[4096];
    for (ssize_t count; (count = ::read(ends[0], part, sizeof(part))) > 0;)
        story.said.append(part, static_cast<std::size_t>(count));
    ::close(ends[0]);
    int how = 0;
    rusage used{};
    REQUIRE(::wait4(child, &how, 0, &used) == child);
    story.ended.pid = child;
    story.ended.code = WIFEXITED(how) ? WEXITSTATUS(how) : 0;
    story.ended.signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    story.ended.user_time = std::chrono::seconds(used.ru_utime.tv_sec) +
                            std::chrono::microseconds(used.ru_utime.tv_usec);
    story.ended.system_time = std::chrono::seconds(used.ru_stime.tv_sec) +
                              std::chrono::microseconds(used.ru_stime.tv_usec);
    return story;
}

/// The same in a child that has entered these limits. What breaks one of them says which.
inline child_story under(const worker_limits& limits, const std::function<std::string()>& body)
{
    auto limited = [&]() -> std::string
    {
        limits.enter();
        try
        {
            return body();
        }
        catch (const std::exception& thrown)
        {
            auto broken = broken_limit(limits, std::current_exception());
            return broken ? *broken : thrown.what();
        }
    };
    return in_child(limited);
}

/// A filter of system calls that answers these with an error, and lets all others through.
inline sandbox refusing(std::initializer_list<long> calls, int error_number)
{
    std::vector<sandbox::instruction> program;
    auto add =
        [&](int code, std::uint32_t value, std::uint8_t if_true = 0, std::uint8_t if_false = 0)
    {
        program.push_back({static_cast<std::uint16_t>(code), if_true, if_false, value});
    };
    auto fail = SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error_number);
    add(BPF_LD | BPF_W | BPF_ABS, 0);
    for (auto call : calls)
    {
        add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1);
        add(BPF_RET | BPF_K, fail);
    }
    add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return sandbox::program(std::move(program));
}

/// Makes this process, a child, live on a kernel without these calls: as containers do.
inline void without(std::initializer_list<long> calls, int error_number = EPERM)
{
    worker_limits limits;
    limits.no_new_privileges = false;
    limits.filter = refusing(calls, error_number);
    limits.enter();
}

/// Makes this process, a child of root, one of nobody, who has the right to its own /proc.
inline void become_nobody()
{
    if (::geteuid() != 0)
        return;
    worker_limits limits;
    limits.uid = limits.gid = 65534;
    limits.enter();
    ::prctl(PR_SET_DUMPABLE, 1);
}

} // namespace brood::test
