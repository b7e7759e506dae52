// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launch_plan.hpp>

#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// What a child asks of Linux before its program runs. It shares the memory of its parent, whose
// other threads go on: system calls only, no allocation, no lock, and no wrapper of glibc that
// talks to other threads.

namespace brood::detail
{

/// Set by tests: do as on a kernel without close_range (before 5.11), or without /proc as well.
inline bool without_close_range = false;
inline bool without_fd_listing = false;

/// The C library's setuid and friends tell all threads of the process; in a child that shares their
/// memory that would reach the parent's threads.
inline bool change_ids(const launch_plan& plan)
{
    if (plan.groups && ::syscall(SYS_setgroups, plan.groups->size(), plan.groups->data()) == -1)
        return false;
    if (plan.gid && ::syscall(SYS_setresgid, *plan.gid, *plan.gid, *plan.gid) == -1)
        return false;
    return !plan.uid || ::syscall(SYS_setresuid, *plan.uid, *plan.uid, *plan.uid) != -1;
}

/// Whether children that this thread starts may be told to die with it: the main thread lives as
/// long as the process.
inline bool this_thread_is_permanent()
{
    return ::syscall(SYS_gettid) == ::getpid();
}

// After the change of ids, which clears it. A parent that ended before sends nothing any more.
inline bool follow_parent(const launch_plan& plan)
{
    if (!plan.die_with_parent)
        return true;
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
        return false;
    if (::getppid() != plan.parent)
        ::syscall(SYS_kill, ::syscall(SYS_getpid), SIGKILL);
    return true;
}

/// Marks all descriptors of a range close-on-exec; false when the kernel cannot.
inline bool mark_range([[maybe_unused]] int first, [[maybe_unused]] int last)
{
#ifdef SYS_close_range
    constexpr unsigned cloexec = 4; // CLOSE_RANGE_CLOEXEC, newer than some headers
    return !without_close_range && ::syscall(SYS_close_range, static_cast<unsigned>(first),
                                             static_cast<unsigned>(last), cloexec) == 0;
#else
    return false;
#endif
}

/// The number that a name in /proc/self/fd is; -1 for "." and "..".
inline int descriptor_number(const char* name)
{
    int number = *name >= '0' && *name <= '9' ? 0 : -1;
    for (; *name >= '0' && *name <= '9'; ++name)
        number = number * 10 + (*name - '0');
    return number;
}

/// Calls `visit` with each open descriptor; false when they cannot be listed. opendir(3) would
/// allocate: getdents(2).
template <class Visit>
bool visit_open_descriptors(Visit visit)
{
    auto listing =
        without_fd_listing ? -1 : ::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (listing == -1)
        return false;
    char entries[1024];
    long size = 0;
    while ((size = ::syscall(SYS_getdents64, listing, entries, sizeof entries)) > 0)
        for (long place = 0; place < size;)
        {
            // struct linux_dirent64: inode and offset of 8 bytes each, length, type, name.
            std::uint16_t length = 0;
            std::memcpy(&length, entries + place + 16, sizeof length);
            visit(descriptor_number(entries + place + 19));
            place += length;
        }
    ::close(listing);
    return size == 0;
}

} // namespace brood::detail
