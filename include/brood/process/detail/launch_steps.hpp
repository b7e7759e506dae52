// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launch_plan.hpp>
#ifdef __linux__
#include <brood/process/detail/launch_system_linux.hpp>
#else
#include <brood/process/detail/launch_system_posix.hpp>
#endif

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

// Everything here but the last class runs in the child, between its birth and its program: see the
// files above for what it may do there. Written once for the ways to start that leave it to us.

namespace brood::detail
{

inline bool ignores_hangup() noexcept
{
    struct sigaction now = {};
    return ::sigaction(SIGHUP, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

/// Whether somebody started this program so that it outlives its terminal, as nohup(1) does. That
/// is meant for all that it starts. Set by tests.
inline bool started_without_hangup = ignores_hangup();

/// Whether children ignore SIGHUP: as this program does since it was started.
inline bool passes_on_hangup() noexcept
{
    return started_without_hangup && ignores_hangup();
}

/// What is ignored or blocked stays so across exec: a child would never die of SIGTERM or SIGPIPE.
inline void reset_signals()
{
    struct sigaction standard = {};
    standard.sa_handler = SIG_DFL;
    auto except = passes_on_hangup() ? SIGHUP : 0;
    for (int number = 1; number < NSIG; ++number)
        if (number != except)
            ::sigaction(number, &standard, nullptr);
}

/// Calls `visit` with each open descriptor; where they cannot be listed, with each number that one
/// may have.
template <class Visit>
void visit_descriptors(Visit visit)
{
    if (visit_open_descriptors(visit))
        return;
    rlimit open_files{};
    ::getrlimit(RLIMIT_NOFILE, &open_files);
    auto end = open_files.rlim_max > 1048576 ? 1048576 : static_cast<int>(open_files.rlim_max);
    for (int number = 0; number < end; ++number)
        visit(number);
}

/// Marks the descriptors between two numbers close-on-exec, the first way that works.
inline void keep_out(int first, int last)
{
    if (first > last || mark_range(first, last))
        return;
    auto mark = [first, last](int number)
    {
        if (number >= first && number <= last)
            ::fcntl(number, F_SETFD, FD_CLOEXEC);
    };
    visit_descriptors(mark);
}

/// A duplicate under a number that the child is not given, -1 when there is none left.
inline int duplicate_beside(const launch_plan& plan, int source)
{
    // Not above all of them: one may be the highest that the limit of open files allows.
    for (int lowest = 3;;)
    {
        auto number = ::fcntl(source, F_DUPFD_CLOEXEC, lowest);
        if (number == -1 || !plan.gives(number))
            return number;
        ::close(number);
        lowest = number + 1;
    }
}

/// The sources, where no target overwrites them (as libuv does in uv__process_child_init).
inline bool lift_descriptors(launch_plan& plan)
{
    for (std::size_t index = 0; index < plan.moves.size(); ++index)
    {
        auto [source, target, keeps_mode] = plan.moves[index];
        auto in_the_way = source != target && plan.gives(source);
        plan.lifted[index] = in_the_way ? duplicate_beside(plan, source) : source;
        if (plan.lifted[index] == -1)
            return false;
    }
    return true;
}

// A program does not expect EAGAIN from its standard streams.
inline void make_blocking(int number)
{
    auto flags = ::fcntl(number, F_GETFL);
    if (flags != -1 && (flags & O_NONBLOCK) != 0)
        ::fcntl(number, F_SETFL, flags & ~O_NONBLOCK);
}

/// Puts each descriptor where it belongs, and keeps every other one out.
inline bool place_descriptors(launch_plan& plan)
{
    if (!lift_descriptors(plan))
        return false;
    int next = 0;
    for (std::size_t index = 0; index < plan.moves.size(); ++index)
    {
        auto& [source, target, keeps_mode] = plan.moves[index];
        // dup2 onto itself would leave it close-on-exec.
        auto placed = plan.lifted[index] == target ? ::fcntl(target, F_SETFD, 0)
                                                   : ::dup2(plan.lifted[index], target);
        if (placed == -1)
            return false;
        if (target <= 2 && !keeps_mode)
            make_blocking(target);
        keep_out(next, target - 1);
        next = target + 1;
    }
    keep_out(next, 0x7fffffff);
    return true;
}

inline bool join_group(const process_group& group)
{
    return group.what() != process_group::kind::join || ::setpgid(0, group.leader()) != -1;
}

// The type of a resource is the system's own: an enum of glibc, an int elsewhere.
template <class Resource>
bool set_limits(const launch_plan& plan, int (*set)(Resource, const rlimit*))
{
    for (auto& limit : plan.limits)
        if (set(static_cast<Resource>(limit.resource), &limit.value) == -1)
            return false;
    return true;
}

/// How long a program is waited for that somebody has open to write to it (ETXTBSY): another thread
/// that has just written it, say, and starts a child that has not let go of the file yet.
inline constexpr unsigned longest_wait_for_program = 64000; // microseconds

/// Closes our copies of what this process had open to write to the program when we began: they
/// would keep the program busy for as long as we wait for it. What the child is given stays.
inline void let_go_of(const launch_plan& plan, const char* file)
{
    struct stat program = {};
    if (::stat(file, &program) == -1)
        return;
    auto close_copy = [&](int number)
    {
        struct stat open = {};
        if (number >= 0 && !plan.gives(number) && ::fstat(number, &open) == 0 &&
            open.st_dev == program.st_dev && open.st_ino == program.st_ino)
            ::close(number);
    };
    visit_descriptors(close_copy);
}

/// execve(2), and again for a program that somebody writes to.
inline void execute_patiently(const launch_plan& plan, const char* file)
{
    constexpr unsigned shortest_pause = 1000;
    for (auto pause = shortest_pause; pause <= longest_wait_for_program; pause *= 2)
    {
        ::execve(file, plan.argv_pointers.data(), plan.env_pointers.data());
        if (errno != ETXTBSY)
            return;
        if (pause == shortest_pause)
            let_go_of(plan, file);
        ::usleep(pause);
        errno = ETXTBSY;
    }
}

/// Tries the candidates as execvp would, but a file that is no program is not given to a shell.
inline int execute(const launch_plan& plan)
{
    int reason = ENOENT;
    for (auto candidate = plan.candidate_pointers.data(); *candidate != nullptr; ++candidate)
    {
        execute_patiently(plan, *candidate);
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
    if (plan.group.what() == process_group::kind::new_session && ::setsid() == -1)
        return {launch_step::session, errno};
    if (!join_group(plan.group))
        return {launch_step::group, errno};
    if (!place_descriptors(plan))
        return {launch_step::descriptors, errno};
    if (!set_limits(plan, &::setrlimit))
        return {launch_step::limits, errno};
    if (!plan.cwd.empty() && ::chdir(plan.cwd.c_str()) == -1)
        return {launch_step::cwd, errno};
    if (!change_ids(plan) || !follow_parent(plan))
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
