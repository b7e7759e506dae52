// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launch_plan.hpp>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace brood::detail
{

/// Set by tests: do as on a kernel without close_range.
inline bool without_close_range = false;

// Everything here runs in the child, which may share the memory of its parent (whose other threads
// go on): system calls only, no allocation, no lock, and no wrapper of glibc that talks to other
// threads.

/// The C library's setuid and friends tell all threads of the process; in a child that shares their
/// memory that would reach the parent's threads.
#ifdef __linux__
inline bool change_ids(const launch_plan& plan)
{
    if (plan.groups)
        if (::syscall(SYS_setgroups, plan.groups->size(), plan.groups->data()) == -1)
            return false;
    if (plan.gid)
        if (::syscall(SYS_setresgid, *plan.gid, *plan.gid, *plan.gid) == -1)
            return false;
    return !plan.uid || ::syscall(SYS_setresuid, *plan.uid, *plan.uid, *plan.uid) != -1;
}

// Set last, because a change of ids clears it. The parent may have ended before: then it never
// comes.
inline bool follow_parent(const launch_plan& plan)
{
    if (plan.parent_death_signal == 0)
        return true;
    if (::prctl(PR_SET_PDEATHSIG, plan.parent_death_signal) == -1)
        return false;
    if (::getppid() != plan.parent)
        ::raise(plan.parent_death_signal);
    return true;
}

inline bool close_on_exec_from(unsigned first, unsigned last)
{
    constexpr unsigned cloexec = 4; // CLOSE_RANGE_CLOEXEC, Linux 5.11; newer than some headers
#ifdef SYS_close_range
    return !without_close_range && ::syscall(SYS_close_range, first, last, cloexec) == 0;
#else
    return first > last + cloexec;
#endif
}
#else
inline bool change_ids(const launch_plan& plan)
{
    if (plan.groups &&
        ::setgroups(static_cast<int>(plan.groups->size()), plan.groups->data()) == -1)
        return false;
    if (plan.gid && ::setgid(*plan.gid) == -1)
        return false;
    return !plan.uid || ::setuid(*plan.uid) != -1;
}

inline bool follow_parent(const launch_plan&)
{
    return true;
}

inline bool close_on_exec_from(unsigned, unsigned)
{
    return false;
}
#endif

/// What is ignored or blocked stays so across exec: a child would never die of SIGTERM or SIGPIPE.
inline void reset_signals()
{
    struct sigaction standard = {};
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number)
        ::sigaction(number, &standard, nullptr);
}

/// Marks the descriptors between two numbers close-on-exec, one by one where there is no call for
/// it.
inline void keep_out(int first, int last)
{
    if (first > last ||
        close_on_exec_from(static_cast<unsigned>(first), static_cast<unsigned>(last)))
        return;
    rlimit open_files{};
    ::getrlimit(RLIMIT_NOFILE, &open_files);
    auto highest = open_files.rlim_max > 1048576 ? 1048576 : static_cast<int>(open_files.rlim_max);
    for (int number = first; number <= last && number < highest; ++number)
        ::fcntl(number, F_SETFD, FD_CLOEXEC);
}

/// Puts each descriptor where it belongs. A source may be the target of another one, so all of them
/// are lifted above the targets first (as libuv does in uv__process_child_init).
inline bool place_descriptors(launch_plan& plan)
{
    auto above = plan.highest_target + 1;
    for (std::size_t index = 0; index < plan.moves.size(); ++index)
    {
        plan.lifted[index] = ::fcntl(plan.moves[index].source, F_DUPFD_CLOEXEC, above);
        if (plan.lifted[index] == -1)
            return false;
    }
    int next = 0;
    for (std::size_t index = 0; index < plan.moves.size(); ++index)
    {
        auto target = plan.moves[index].target;
        if (::dup2(plan.lifted[index], target) == -1)
            return false;
        keep_out(next, target - 1);
        next = target + 1;
    }
    keep_out(next, 0x7fffffff);
    return true;
}

inline bool set_limits(const launch_plan& plan)
{
    for (auto& limit : plan.limits)
        if (::setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &limit.value) == -1)
            return false;
    return true;
}

/// Tries the candidates as execvp would, but a file that is no program is not given to a shell.
inline int execute(const launch_plan& plan)
{
    int reason = ENOENT;
    for (auto candidate = plan.candidate_pointers.data(); *candidate != nullptr; ++candidate)
    {
        ::execve(*candidate, plan.argv_pointers.data(), plan.env_pointers.data());
        if (errno == EACCES)
            reason = EACCES;
        else if (errno != ENOENT && errno != ENOTDIR)
            return errno;
    }
    return reason;
}

/// The life of a child up to its program. Comes back only when a step failed, with that step.
inline launch_failure become_program(launch_plan& plan)
{
    reset_signals();
    if (plan.new_session && ::setsid() == -1)
        return {launch_step::session, errno};
    if (plan.process_group && ::setpgid(0, *plan.process_group) == -1)
        return {launch_step::process_group, errno};
    if (!place_descriptors(plan))
        return {launch_step::descriptors, errno};
    if (!set_limits(plan))
        return {launch_step::limits, errno};
    if (!plan.cwd.empty() && ::chdir(plan.cwd.c_str()) == -1)
        return {launch_step::cwd, errno};
    if (!change_ids(plan))
        return {launch_step::ids, errno};
    if (!follow_parent(plan))
        return {launch_step::ids, errno};
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    return {launch_step::exec, execute(plan)};
}

/// No handler of this process may run in the child: signals wait while there is one before its
/// program.
class all_signals_blocked
{
public:
    all_signals_blocked()
    {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }

    ~all_signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    all_signals_blocked(const all_signals_blocked&) = delete;
    all_signals_blocked& operator=(const all_signals_blocked&) = delete;

private:
    sigset_t before_;
};

} // namespace brood::detail
