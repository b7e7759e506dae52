// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace brood
{

/// Which system calls a process may still make: a seccomp filter of Linux, for
/// worker_limits::filter.
///
/// Once a process has entered it, it has it for ever, as have the processes that it starts. See
/// seccomp(2).
class sandbox
{
public:
    /// An instruction of classic BPF, as sock_filter of <linux/filter.h>.
    struct instruction
    {
        std::uint16_t code = 0;
        std::uint8_t if_true = 0;
        std::uint8_t if_false = 0;
        std::uint32_t value = 0;

        template <class Archive>
        void serialize(Archive& archive)
        {
            archive(code, if_true, if_false, value);
        }

        friend bool operator==(const instruction&, const instruction&) = default;
    };

    /// For programs that compute: memory, threads, clocks, random numbers, and to read, write, send
    /// and receive through the descriptors that the process holds.
    ///
    /// What reaches for more (to open or name a file, to make a socket or connect one, to start a
    /// program or a process, to signal another process) fails with EPERM, which is an exception
    /// wherever C++ reports it. What only an attacker calls (ptrace, bpf, kernel modules, mount and
    /// its like, keys, the memory of other processes) ends the process with SIGSYS. What the filter
    /// does not know fails with ENOSYS, as on an older kernel. A name still tells whether there is
    /// such a file, to who calls fstatat(2) with AT_EMPTY_PATH. For x86_64 and aarch64.
    static sandbox compute() { return sandbox(); }

    /// A filter of your own, applied as it is. The numbers of system calls are those of the
    /// processor: a program begins with a look at the architecture.
    static sandbox program(std::vector<instruction> instructions)
    {
        sandbox made;
        made.computes_ = false;
        made.instructions_ = std::move(instructions);
        return made;
    }

    /// compute(), which also stands in a message until program() takes its place.
    sandbox() = default;

    /// Whether it is the one of compute(), which is put together in the process that enters it.
    bool computes() const noexcept { return computes_; }

    /// The program, empty for compute().
    const std::vector<instruction>& instructions() const noexcept { return instructions_; }

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(computes_, instructions_);
    }

    friend bool operator==(const sandbox&, const sandbox&) = default;

private:
    bool computes_ = true;
    std::vector<instruction> instructions_;
};

} // namespace brood
