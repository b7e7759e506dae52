// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/child_stack.hpp>
#include <brood/process/detail/launch_steps.hpp>

#include <atomic>
#include <mutex>
#include <sched.h>
#include <sys/wait.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace brood::detail
{

#ifdef __linux__

struct shared_with_child
{
    launch_plan* plan;
    launch_failure failure;
};

// AddressSanitizer would complain about the foreign stack when these end.

[[gnu::no_sanitize_address]] inline int write_and_end(void* argument)
{
    *static_cast<volatile int*>(argument) = 1;
    ::_exit(0);
}

[[gnu::no_sanitize_address]] inline int child_of_clone(void* argument)
{
    auto& shared = *static_cast<shared_with_child*>(argument);
    shared.failure = become_program(*shared.plan);
    ::_exit(127);
}

/// Whether a child of clone writes into our memory, as it must to tell what failed: 0, or ENOSYS.
/// Under the user mode of QEMU and on WSL 1 it writes into a copy (libuv and Go found out). Another
/// reason means that there was no child to find out with.
inline int try_to_share_memory()
{
    volatile int written = 0;
    child_stack stack;
    if (!stack)
        return errno;
    all_signals_blocked blocked;
    auto pid = ::clone(write_and_end, stack.top(), CLONE_VM | CLONE_VFORK | SIGCHLD,
                       const_cast<int*>(&written));
    if (pid == -1)
        return errno;
    retry([&] { return ::waitpid(pid, nullptr, 0); });
    return written == 1 ? 0 : ENOSYS;
}

/// Why clone cannot be used, or 0. A shortage of processes says nothing about the next time.
inline int refusal_of_clone()
{
    static std::atomic<bool> works = false;
    if (works)
        return 0;
    auto refusal = try_to_share_memory();
    works = refusal == 0;
    return refusal;
}

/// Whether a process leaves a core file, and owns what /proc tells of it, goes with its memory: a
/// child that changes its ids while it borrows ours would take both from us.
class kept_dumpable
{
public:
    explicit kept_dumpable(const launch_plan& plan)
    {
        if (!plan.uid && !plan.gid)
            return;
        lock_ = std::unique_lock(mutex);
        before_ = ::prctl(PR_GET_DUMPABLE);
    }

    ~kept_dumpable()
    {
        if (before_ == 1)
            ::prctl(PR_SET_DUMPABLE, 1);
    }

    kept_dumpable(const kept_dumpable&) = delete;
    kept_dumpable& operator=(const kept_dumpable&) = delete;

private:
    // One at a time: else a child that has not left our memory yet could be traced.
    inline static std::mutex mutex;
    std::unique_lock<std::mutex> lock_;
    int before_ = 0;
};

/// Starts a child that borrows our memory until its program runs, so that the size of ours does not
/// matter, and gets its pidfd with the same call. This thread sleeps until then; what fails in the
/// child it writes into our memory. Linux 5.2; older kernels give no pidfd, some sandboxes refuse.
/// https://man7.org/linux/man-pages/man2/clone.2.html
inline launched launch_by_clone(launch_plan& plan)
{
    if (auto refusal = refusal_of_clone())
        return launched::failed(launch_step::fork, refusal);
    child_stack stack;
    if (!stack)
        return launched::failed(launch_step::fork, errno);
    shared_with_child shared{&plan, {}};
    int pidfd = -1;
    launched result;
    {
        kept_dumpable kept(plan);
        all_signals_blocked blocked;
        constexpr int clone_pidfd = 0x00001000; // newer than some headers
        result.pid = ::clone(child_of_clone, stack.top(),
                             CLONE_VM | CLONE_VFORK | clone_pidfd | SIGCHLD, &shared, &pidfd);
        if (result.pid == -1)
            shared.failure = {launch_step::fork, errno};
    }
    result.pidfd = descriptor(pidfd);
    result.failure = shared.failure;
    if (result.pid != -1 && result.failure.error_number != 0)
        retry([&] { return ::waitpid(result.pid, nullptr, 0); });
    return result;
}

#else

inline launched launch_by_clone(launch_plan&)
{
    return launched::failed(launch_step::fork, ENOSYS);
}

#endif

} // namespace brood::detail
