// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/process/detail/sandbox_filter.hpp>
#include <brood/process/sandbox.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <optional>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

// What Linux can take from a process that asks for it, itself. Each gives 0, or the error number.
// Numbers stand here where the headers of an older system have no name for them.

namespace brood::detail
{

inline int failure_of(long result)
{
    return result == -1 ? errno : 0;
}

/// With several threads most of the calls below would change this one alone.
inline bool is_single_threaded()
{
    struct stat threads = {};
    if (::stat("/proc/self/task", &threads) == 0)
        return threads.st_nlink == 3; // itself, its parent, and one thread
    // Changes nothing, and EPERM, as containers answer, says nothing.
    return ::unshare(CLONE_THREAD) == 0 || errno != EINVAL;
}

/// Whether this thread has a capability, effective in its user namespace.
inline bool has_capability(unsigned number)
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2]{};
    return ::syscall(SYS_capget, &header, sets) == 0 &&
           (sets[number / 32].effective >> (number % 32) & 1) != 0;
}

/// All capabilities, and any that a program could bring back.
inline int give_up_privileges()
{
    for (int number = 0; ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; ++number)
        ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0); // needs one itself: no_new_privs is behind it
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2]{};
    if (auto failed = failure_of(::syscall(SYS_capset, &header, none)))
        return failed;
    return failure_of(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

inline int become(std::optional<uid_t> uid, std::optional<gid_t> gid)
{
    auto another = (uid && *uid != ::geteuid()) || (gid && *gid != ::getegid());
    if (another && ::setgroups(0, nullptr) == -1)
        return errno;
    if (gid && ::setresgid(*gid, *gid, *gid) == -1)
        return errno;
    return uid ? failure_of(::setresuid(*uid, *uid, *uid)) : 0;
}

// ---- Namespaces

inline void write_file(const char* path, const std::string& text)
{
    descriptor file(check(::open(path, O_WRONLY | O_CLOEXEC), "open", path));
    check(::write(file.get(), text.data(), text.size()), "write", path);
}

/// What a process adds to the kinds of namespaces so that it may enter them: who is not privileged
/// needs a user namespace as well. Nothing where it could not be who it was there: a root without
/// privileges (verify_root_map of the kernel).
inline std::optional<int> user_namespace_for_others()
{
    if (has_capability(CAP_SYS_ADMIN))
        return 0;
    if (::geteuid() == 0 && !has_capability(CAP_SETFCAP))
        return std::nullopt;
    return CLONE_NEWUSER;
}

/// Enters namespaces of its own, where it is who it was; false, and nothing has changed, when it
/// may not.
inline bool enter_namespaces(int kinds)
{
    auto user = user_namespace_for_others();
    auto uid = std::to_string(::geteuid()), gid = std::to_string(::getegid());
    if (!user || ::unshare(kinds | *user) == -1)
        return false;
    if (*user == 0)
        return true;
    // Nobody, until these are written.
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", uid + ' ' + uid + " 1");
    write_file("/proc/self/gid_map", gid + ' ' + gid + " 1");
    return true;
}

/// Whether enter_namespaces() would be allowed to: a child tries, whose first call is its last.
inline bool may_enter_namespaces(int kinds)
{
    auto user = user_namespace_for_others();
    if (!user)
        return false;
    auto flags = static_cast<unsigned long>(kinds | *user);
    auto child =
        static_cast<pid_t>(::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr));
    if (child == 0)
        for (;;)
            ::syscall(SYS_exit_group, 0);
    if (child == -1)
        return false;
    // It sends no signal when it ends, so that nobody else who waits for children hears of it.
    retry([&] { return ::waitpid(child, nullptr, static_cast<int>(__WCLONE)); });
    return true;
}

struct mount_attributes // struct mount_attr
{
    std::uint64_t set = 0;
    std::uint64_t clear = 0;
    std::uint64_t propagation = 0;
    std::uint64_t user_namespace = 0;
};

inline int set_mounts(const char* path, unsigned flags, mount_attributes attributes)
{
    constexpr long mount_setattr = 442;
    return failure_of(
        ::syscall(mount_setattr, AT_FDCWD, path, flags, &attributes, sizeof(attributes)));
}

/// Whether the kernel can change mounts with all below them (5.12).
inline bool can_set_mounts()
{
    return set_mounts("", 0, {}) != ENOSYS;
}

/// Everything that is mounted, in a mount namespace of its own.
inline int mount_read_only()
{
    constexpr unsigned recursive = 0x8000; // AT_RECURSIVE
    constexpr std::uint64_t read_only = 1; // MOUNT_ATTR_RDONLY
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == -1)
        return errno;
    return set_mounts("/", recursive, {read_only, 0, 0, 0});
}

// ---- Landlock

inline constexpr long landlock_create_ruleset = 444;
inline constexpr long landlock_add_rule = 445;
inline constexpr long landlock_restrict_self = 446;

/// The version of Landlock, 0 for none.
inline long landlock_version()
{
    return std::max(0L, ::syscall(landlock_create_ruleset, nullptr, 0, 1U));
}

struct landlock_beneath // struct landlock_path_beneath_attr
{
    std::uint64_t access;
    std::int32_t parent;
} __attribute__((packed));

/// Nothing of the file system may be written, but for the devices that hold nothing.
inline int landlock_read_only()
{
    constexpr std::uint64_t write_file = 1 << 1;
    // Remove and make anything; link and rename across directories since version 2, truncate since
    // 3. Commands to devices (5) are not the file system.
    std::uint64_t writing = write_file | 0x1ff0;
    auto version = landlock_version();
    writing |= version >= 2 ? 1 << 13 : 0;
    writing |= version >= 3 ? 1 << 14 : 0;
    descriptor rules(
        static_cast<int>(::syscall(landlock_create_ruleset, &writing, sizeof(writing), 0)));
    if (!rules)
        return errno;
    for (auto device : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"})
    {
        descriptor file(::open(device, O_PATH | O_CLOEXEC));
        landlock_beneath rule{write_file, file.get()};
        if (file && ::syscall(landlock_add_rule, rules.get(), 1, &rule, 0) == -1)
            return errno;
    }
    return failure_of(::syscall(landlock_restrict_self, rules.get(), 0));
}

// ---- Filters of system calls

inline bool can_filter()
{
    std::uint32_t kill = SECCOMP_RET_KILL_PROCESS;
    return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kill) == 0;
}

inline int enter_filter(std::vector<sock_filter> program)
{
    sock_fprog whole{static_cast<unsigned short>(program.size()), program.data()};
    return failure_of(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole));
}

inline std::vector<sock_filter> filter_of(const sandbox& wanted)
{
    if (wanted.computes())
        return compute_filter(::getpid());
    std::vector<sock_filter> program;
    for (auto& each : wanted.instructions())
        program.push_back({each.code, each.if_true, each.if_false, each.value});
    return program;
}

} // namespace brood::detail
