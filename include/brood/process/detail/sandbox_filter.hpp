// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/system_calls.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <initializer_list>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <span>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <vector>

namespace brood::detail
{

#if defined(__x86_64__) && defined(__LP64__)
inline constexpr std::uint32_t this_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__) && defined(__AARCH64EL__)
inline constexpr std::uint32_t this_architecture = AUDIT_ARCH_AARCH64;
#else
inline constexpr std::uint32_t this_architecture = 0; // filters of ours are not for this processor
#endif

/// Puts a seccomp filter together: rules, the first that matches decides.
class filter_writer
{
public:
    static constexpr std::uint32_t allow = SECCOMP_RET_ALLOW;
    static constexpr std::uint32_t kill = SECCOMP_RET_KILL_PROCESS;

    static constexpr std::uint32_t fail(int error_number)
    {
        return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error_number);
    }

    /// Begins with what every filter must: numbers of another architecture (32-bit programs, and
    /// x32 on x86_64) mean other calls.
    filter_writer()
    {
        constexpr std::uint32_t x32 = 0x40000000;
        load(offsetof(seccomp_data, arch));
        add(BPF_JMP | BPF_JEQ | BPF_K, this_architecture, 1, 0);
        decide(kill);
        load(offsetof(seccomp_data, nr));
        add(BPF_JMP | BPF_JGE | BPF_K, x32, 0, 1);
        decide(fail(ENOSYS));
    }

    void on(const system_call& call, std::uint32_t action)
    {
        if (call.number() == -1)
            return;
        add(BPF_JMP | BPF_JEQ | BPF_K, number(call), 0, 1);
        decide(action);
    }

    void on(std::span<const system_call> calls, std::uint32_t action)
    {
        for (auto& call : calls)
            on(call, action);
    }

    /// Allows a call when the low half of this argument is one of these values.
    void allow_values(const system_call& call, std::size_t argument,
                      std::initializer_list<std::uint32_t> values, std::uint32_t otherwise)
    {
        auto count = values.size();
        add(BPF_JMP | BPF_JEQ | BPF_K, number(call), 0, count + 3);
        load_argument(argument);
        for (auto value : values)
            add(BPF_JMP | BPF_JEQ | BPF_K, value, count--, 0);
        decide(otherwise);
        decide(allow);
    }

    /// Allows a call when one of these bits is set in the argument.
    void allow_flag(const system_call& call, std::size_t argument, std::uint32_t bits)
    {
        add(BPF_JMP | BPF_JEQ | BPF_K, number(call), 0, 4);
        load_argument(argument);
        add(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
        decide(allow);
        decide(fail(EPERM));
    }

    std::vector<sock_filter> end(std::uint32_t action)
    {
        decide(action);
        return std::move(program_);
    }

private:
    static std::uint32_t number(const system_call& call)
    {
        return static_cast<std::uint32_t>(call.number());
    }

    void add(int code, std::uint32_t value, std::size_t if_true = 0, std::size_t if_false = 0)
    {
        program_.push_back({static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(if_true),
                            static_cast<std::uint8_t>(if_false), value});
    }

    void load(std::size_t offset)
    {
        add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
    }

    // Both processors are little-endian: the low half of an argument comes first.
    void load_argument(std::size_t argument)
    {
        load(offsetof(seccomp_data, args) + argument * sizeof(seccomp_data::args[0]));
    }

    void decide(std::uint32_t action) { add(BPF_RET | BPF_K, action); }

    std::vector<sock_filter> program_;
};

/// The filter of sandbox::compute(), for the process with this id.
inline std::vector<sock_filter> compute_filter(pid_t pid)
{
    constexpr std::uint32_t thread = 0x10000;         // CLONE_THREAD
    constexpr std::uint32_t empty_path = 0x1000;      // AT_EMPTY_PATH
    constexpr std::uint32_t name_memory = 0x53564d41; // PR_SET_VMA, by which malloc names its own
    auto self = static_cast<std::uint32_t>(pid);
    auto refused = filter_writer::fail(EPERM);

    filter_writer filter;
    filter.on(harmless_calls, filter_writer::allow);
    filter.allow_flag(clone_call, 0, thread);
    filter.allow_values(tgkill_call, 0, {self}, refused);
    filter.allow_values(kill_call, 0, {self}, refused);
    filter.allow_values(rt_tgsigqueueinfo_call, 0, {self}, refused);
    filter.allow_values(prlimit64_call, 0, {0, self}, refused);
    filter.allow_values(prctl_call, 0, {PR_SET_NAME, PR_GET_NAME, name_memory}, refused);
    // Not those by which a descriptor sends signals to others.
    filter.allow_values(fcntl_call, 1,
                        {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_ADD_SEALS,
                         F_GET_SEALS, F_GETPIPE_SZ, F_GETLK, F_SETLK, F_SETLKW},
                        refused);
    // Not what types into a terminal, nor what drivers have.
    filter.allow_values(ioctl_call, 1, {FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, TCGETS, TIOCGWINSZ},
                        refused);
    // fstat(3) is made of these.
    filter.allow_flag(newfstatat_call, 3, empty_path);
    filter.allow_flag(statx_call, 2, empty_path);
    filter.on(reaching_calls, refused);
    filter.on(hostile_calls, filter_writer::kill);
    return filter.end(filter_writer::fail(ENOSYS));
}

/// Local sockets alone. What makes sockets without socket(2) goes as well.
inline std::vector<sock_filter> no_network_filter()
{
    filter_writer filter;
    filter.allow_values(socket_call, 0, {AF_UNIX}, filter_writer::fail(ENETUNREACH));
    filter.on(io_uring_setup_call, filter_writer::fail(ENOSYS));
    return filter.end(filter_writer::allow);
}

} // namespace brood::detail
