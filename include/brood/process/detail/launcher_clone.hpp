// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launch_steps.hpp>

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

namespace brood::detail
{

#if defined(__linux__) && defined(CLONE_VM)

/// The memory that the child runs on until its program replaces it.
class child_stack
{
public:
    child_stack()
        : bottom_(check(::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0),
                        "map memory", "for a child's stack"))
    {
    }

    ~child_stack() { ::munmap(bottom_, size); }

    child_stack(const child_stack&) = delete;
    child_stack& operator=(const child_stack&) = delete;

    void* top() const noexcept { return static_cast<std::byte*>(bottom_) + size; }

private:
    static constexpr std::size_t size = std::size_t{64} << 10;

    void* bottom_;
};

struct shared_with_child
{
    launch_plan* plan;
    launch_failure failure;
};

inline int child_of_clone(void* argument)
{
    auto& shared = *static_cast<shared_with_child*>(argument);
    shared.failure = become_program(*shared.plan);
    ::_exit(127);
}

/// Starts a child that borrows our memory until its program runs, so that the size of ours does not
/// matter, and gets its pidfd with the same call. This thread sleeps until then; what fails in the
/// child it writes into our memory. Linux 5.2; older kernels and some sandboxes refuse.
/// https://man7.org/linux/man-pages/man2/clone.2.html
inline launched launch_by_clone(launch_plan& plan)
{
    shared_with_child shared{&plan, {}};
    child_stack stack;
    int pidfd = -1;
    launched result;
    {
        all_signals_blocked blocked;
        constexpr int clone_pidfd = 0x00001000; // newer than some headers
        result.pid = ::clone(child_of_clone, stack.top(),
                             CLONE_VM | CLONE_VFORK | clone_pidfd | SIGCHLD, &shared, &pidfd);
        if (result.pid == -1)
            result.failure = {launch_step::fork, errno};
    }
    if (result.pid == -1)
        return result;
    result.pidfd = descriptor(pidfd);
    result.failure = shared.failure;
    if (result.failure.error_number != 0)
        retry([&] { return ::waitpid(result.pid, nullptr, 0); });
    return result;
}

#else

inline launched launch_by_clone(launch_plan&)
{
    launched result;
    result.failure = {launch_step::fork, ENOSYS};
    return result;
}

#endif

} // namespace brood::detail
