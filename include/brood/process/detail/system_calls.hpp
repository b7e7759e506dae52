// SPDX-License-Identifier: BSL-1.0
#pragma once

// The system calls of Linux that a filter speaks of, by number, so that neither the headers of an
// older system nor those of a newer kernel decide what a filter knows. From unistd_64.h of x86_64
// and from asm-generic/unistd.h.

namespace brood::detail
{

/// A system call by its numbers; -1 where the processor has none by this name.
struct system_call
{
    const char* name;
    int x86_64;
    int aarch64;

    /// The number on this machine, -1 for none.
    constexpr int number() const noexcept
    {
#if defined(__x86_64__) && defined(__LP64__)
        return x86_64;
#elif defined(__aarch64__) && defined(__AARCH64EL__)
        return aarch64;
#else
        return -1;
#endif
    }
};

// Those whose arguments decide.
inline constexpr system_call socket_call{"socket", 41, 198};
inline constexpr system_call io_uring_setup_call{"io_uring_setup", 425, 425};
inline constexpr system_call clone_call{"clone", 56, 220};
inline constexpr system_call tgkill_call{"tgkill", 234, 131};
inline constexpr system_call kill_call{"kill", 62, 129};
inline constexpr system_call rt_tgsigqueueinfo_call{"rt_tgsigqueueinfo", 297, 240};
inline constexpr system_call prctl_call{"prctl", 157, 167};
inline constexpr system_call fcntl_call{"fcntl", 72, 25};
inline constexpr system_call ioctl_call{"ioctl", 16, 29};
inline constexpr system_call prlimit64_call{"prlimit64", 302, 261};
inline constexpr system_call newfstatat_call{"newfstatat", 262, 79};
inline constexpr system_call statx_call{"statx", 332, 291};

// clang-format off

/// What a program needs that computes, and talks through the descriptors that it holds.
inline constexpr system_call harmless_calls[] = {
    {"read", 0, 63}, {"write", 1, 64}, {"readv", 19, 65}, {"writev", 20, 66}, {"pread64", 17, 67},
    {"pwrite64", 18, 68}, {"preadv", 295, 69}, {"pwritev", 296, 70}, {"preadv2", 327, 286},
    {"pwritev2", 328, 287}, {"futex", 202, 98}, {"epoll_wait", 232, -1}, {"epoll_pwait", 281, 22},
    {"epoll_pwait2", 441, 441}, {"epoll_ctl", 233, 21}, {"epoll_create", 213, -1},
    {"epoll_create1", 291, 20}, {"sendmsg", 46, 211}, {"recvmsg", 47, 212}, {"sendto", 44, 206},
    {"recvfrom", 45, 207}, {"sendmmsg", 307, 269}, {"recvmmsg", 299, 243}, {"shutdown", 48, 210},
    {"accept", 43, 202}, {"accept4", 288, 242}, {"getsockopt", 55, 209}, {"setsockopt", 54, 208},
    {"getsockname", 51, 204}, {"getpeername", 52, 205}, {"poll", 7, -1}, {"ppoll", 271, 73},
    {"select", 23, -1}, {"pselect6", 270, 72}, {"eventfd", 284, -1}, {"eventfd2", 290, 19},
    {"timerfd_create", 283, 85}, {"timerfd_settime", 286, 86}, {"timerfd_gettime", 287, 87},
    {"signalfd", 282, -1}, {"signalfd4", 289, 74}, {"pipe", 22, -1}, {"pipe2", 293, 59},
    {"close", 3, 57}, {"close_range", 436, 436}, {"dup", 32, 23}, {"dup2", 33, -1},
    {"dup3", 292, 24}, {"lseek", 8, 62}, {"fstat", 5, 80}, {"fsync", 74, 82},
    {"fdatasync", 75, 83}, {"ftruncate", 77, 46}, {"fallocate", 285, 47}, {"flock", 73, 32},
    {"sendfile", 40, 71}, {"splice", 275, 76}, {"tee", 276, 77}, {"vmsplice", 278, 75},
    {"copy_file_range", 326, 285}, {"memfd_create", 319, 279}, {"mmap", 9, 222},
    {"munmap", 11, 215}, {"mprotect", 10, 226}, {"mremap", 25, 216}, {"madvise", 28, 233},
    {"brk", 12, 214}, {"msync", 26, 227}, {"mincore", 27, 232}, {"membarrier", 324, 283},
    {"clock_gettime", 228, 113}, {"clock_getres", 229, 114}, {"clock_nanosleep", 230, 115},
    {"nanosleep", 35, 101}, {"gettimeofday", 96, 169}, {"time", 201, -1}, {"times", 100, 153},
    {"getrusage", 98, 165}, {"rt_sigaction", 13, 134}, {"rt_sigprocmask", 14, 135},
    {"rt_sigreturn", 15, 139}, {"rt_sigpending", 127, 136}, {"rt_sigsuspend", 130, 133},
    {"rt_sigtimedwait", 128, 137}, {"sigaltstack", 131, 132}, {"pause", 34, -1},
    {"alarm", 37, -1}, {"getitimer", 36, 102}, {"setitimer", 38, 103}, {"timer_create", 222, 107},
    {"timer_settime", 223, 110}, {"timer_gettime", 224, 108}, {"timer_getoverrun", 225, 109},
    {"timer_delete", 226, 111}, {"set_robust_list", 273, 99}, {"get_robust_list", 274, 100},
    {"set_tid_address", 218, 96}, {"rseq", 334, 293}, {"gettid", 186, 178}, {"getpid", 39, 172},
    {"getppid", 110, 173}, {"getpgrp", 111, -1}, {"getpgid", 121, 155}, {"getsid", 124, 156},
    {"getuid", 102, 174}, {"geteuid", 107, 175}, {"getgid", 104, 176}, {"getegid", 108, 177},
    {"getresuid", 118, 148}, {"getresgid", 120, 150}, {"getgroups", 115, 158},
    {"sched_yield", 24, 124}, {"sched_getaffinity", 204, 123}, {"sched_getparam", 143, 121},
    {"sched_getscheduler", 145, 120}, {"sched_get_priority_max", 146, 125},
    {"sched_get_priority_min", 147, 126}, {"getcpu", 309, 168}, {"getpriority", 140, 141},
    {"getrandom", 318, 278}, {"uname", 63, 160}, {"sysinfo", 99, 179}, {"capget", 125, 90},
    {"umask", 95, 166}, {"getrlimit", 97, 163}, {"restart_syscall", 219, 128}, {"exit", 60, 93},
    {"exit_group", 231, 94}, {"wait4", 61, 260}, {"waitid", 247, 95}, {"setrlimit", 160, 164}
};

/// What reaches for more: names of files, sockets, programs, other processes. Refused with EPERM,
/// which C++ makes an exception of.
inline constexpr system_call reaching_calls[] = {
    {"open", 2, -1}, {"openat", 257, 56}, {"openat2", 437, 437}, {"creat", 85, -1},
    {"access", 21, -1}, {"faccessat", 269, 48}, {"faccessat2", 439, 439}, {"stat", 4, -1},
    {"lstat", 6, -1}, {"readlink", 89, -1}, {"readlinkat", 267, 78}, {"getcwd", 79, 17},
    {"chdir", 80, 49}, {"fchdir", 81, 50}, {"chroot", 161, 51}, {"getdents", 78, -1},
    {"getdents64", 217, 61}, {"mkdir", 83, -1}, {"mkdirat", 258, 34}, {"rmdir", 84, -1},
    {"unlink", 87, -1}, {"unlinkat", 263, 35}, {"rename", 82, -1}, {"renameat", 264, 38},
    {"renameat2", 316, 276}, {"link", 86, -1}, {"linkat", 265, 37}, {"symlink", 88, -1},
    {"symlinkat", 266, 36}, {"mknod", 133, -1}, {"mknodat", 259, 33}, {"chmod", 90, -1},
    {"fchmod", 91, 52}, {"fchmodat", 268, 53}, {"chown", 92, -1}, {"fchown", 93, 55},
    {"lchown", 94, -1}, {"fchownat", 260, 54}, {"truncate", 76, 45}, {"utime", 132, -1},
    {"utimes", 235, -1}, {"utimensat", 280, 88}, {"futimesat", 261, -1}, {"statfs", 137, 43},
    {"fstatfs", 138, 44}, {"setxattr", 188, 5}, {"lsetxattr", 189, 6}, {"fsetxattr", 190, 7},
    {"removexattr", 197, 14}, {"lremovexattr", 198, 15}, {"fremovexattr", 199, 16},
    {"getxattr", 191, 8}, {"lgetxattr", 192, 9}, {"fgetxattr", 193, 10}, {"listxattr", 194, 11},
    {"llistxattr", 195, 12}, {"flistxattr", 196, 13}, {"inotify_init", 253, -1},
    {"inotify_init1", 294, 26}, {"inotify_add_watch", 254, 27}, {"fanotify_init", 300, 262},
    {"name_to_handle_at", 303, 264}, {"memfd_secret", 447, 447}, {"socket", 41, 198},
    {"socketpair", 53, 199}, {"connect", 42, 203}, {"bind", 49, 200}, {"listen", 50, 201},
    {"execve", 59, 221}, {"execveat", 322, 281}, {"fork", 57, -1}, {"vfork", 58, -1},
    {"tkill", 200, 130}, {"rt_sigqueueinfo", 129, 138}, {"pidfd_open", 434, 434},
    {"pidfd_send_signal", 424, 424}, {"setpgid", 109, 154}, {"setsid", 112, 157},
    {"setpriority", 141, 140}, {"sched_setaffinity", 203, 122}, {"sched_setscheduler", 144, 119},
    {"sched_setparam", 142, 118}, {"sched_setattr", 314, 274}, {"ioprio_set", 251, 30},
    {"setuid", 105, 146}, {"setgid", 106, 144}, {"setreuid", 113, 145}, {"setregid", 114, 143},
    {"setresuid", 117, 147}, {"setresgid", 119, 149}, {"setgroups", 116, 159},
    {"setfsuid", 122, 151}, {"setfsgid", 123, 152}, {"capset", 126, 91}, {"shmget", 29, 194},
    {"shmat", 30, 196}, {"shmctl", 31, 195}, {"semget", 64, 190}, {"semop", 65, 193},
    {"semtimedop", 220, 192}, {"semctl", 66, 191}, {"msgget", 68, 186}, {"msgsnd", 69, 189},
    {"msgrcv", 70, 188}, {"msgctl", 71, 187}, {"mq_open", 240, 180}, {"mq_unlink", 241, 181},
    {"mlock", 149, 228}, {"mlock2", 325, 284}, {"mlockall", 151, 230}, {"sync", 162, 81},
    {"syncfs", 306, 267}
};

/// What no program that computes calls by mistake.
inline constexpr system_call hostile_calls[] = {
    {"ptrace", 101, 117}, {"process_vm_readv", 310, 270}, {"process_vm_writev", 311, 271},
    {"pidfd_getfd", 438, 438}, {"kcmp", 312, 272}, {"bpf", 321, 280},
    {"perf_event_open", 298, 241}, {"userfaultfd", 323, 282}, {"init_module", 175, 105},
    {"finit_module", 313, 273}, {"delete_module", 176, 106}, {"kexec_load", 246, 104},
    {"kexec_file_load", 320, 294}, {"reboot", 169, 142}, {"swapon", 167, 224},
    {"swapoff", 168, 225}, {"acct", 163, 89}, {"mount", 165, 40}, {"umount2", 166, 39},
    {"pivot_root", 155, 41}, {"mount_setattr", 442, 442}, {"move_mount", 429, 429},
    {"open_tree", 428, 428}, {"fsopen", 430, 430}, {"fsconfig", 431, 431}, {"fsmount", 432, 432},
    {"fspick", 433, 433}, {"setns", 308, 268}, {"unshare", 272, 97}, {"add_key", 248, 217},
    {"request_key", 249, 218}, {"keyctl", 250, 219}, {"iopl", 172, -1}, {"ioperm", 173, -1},
    {"modify_ldt", 154, -1}, {"open_by_handle_at", 304, 265}, {"quotactl", 179, 60},
    {"settimeofday", 164, 170}, {"clock_settime", 227, 112}, {"clock_adjtime", 305, 266},
    {"adjtimex", 159, 171}, {"sethostname", 170, 161}, {"setdomainname", 171, 162},
    {"vhangup", 153, 58}, {"personality", 135, 92}, {"syslog", 103, 116},
    {"lookup_dcookie", 212, 18}
};

// clang-format on

} // namespace brood::detail
