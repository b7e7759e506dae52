// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <sys/types.h>
#include <unistd.h>

namespace brood::detail
{

/// What a process does, as the kernel tells: proc_pid_stat(5). Without /proc, nothing is known.
struct process_activity
{
    char state = '?';              ///< R running, S sleeping, D in the kernel, T stopped, Z ended.
    unsigned long long ticks = 0;  ///< Of the processor, that it used.
    unsigned long long waited = 0; ///< Nanoseconds that it could have run and had no processor.

    bool known() const noexcept { return state != '?'; }

    std::chrono::milliseconds processor_time() const
    {
        return std::chrono::milliseconds(static_cast<long long>(ticks) * 1'000 /
                                         ::sysconf(_SC_CLK_TCK));
    }

    static process_activity of(pid_t pid)
    {
        process_activity result;
        auto folder = "/proc/" + std::to_string(pid);
        std::string text;
        std::getline(std::ifstream(folder + "/stat"), text);
        // The name of the program stands in parentheses and may hold any character.
        auto rest = text.rfind(')');
        unsigned long long user = 0, system = 0;
        if (rest != std::string::npos)
            std::sscanf(text.c_str() + rest,
                        ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &result.state,
                        &user, &system);
        result.ticks = user + system;
        std::ifstream(folder + "/schedstat") >> user >> result.waited;
        return result;
    }

    /// Bytes of memory that a process has in RAM; 0 when nothing is known.
    static std::size_t resident_memory(pid_t pid)
    {
        std::size_t size = 0, resident = 0;
        std::ifstream("/proc/" + std::to_string(pid) + "/statm") >> size >> resident;
        return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    }
};

/// What of it concerns who keeps it: proc_pid_status(5).
struct process_condition
{
    pid_t parent = 0;        ///< 0 when there is no such process.
    pid_t tracer = 0;        ///< A debugger that holds it; 0 for none.
    bool dumps_core = false; ///< It is being ended already, and writes its memory.

    static process_condition of(pid_t pid)
    {
        std::ifstream status("/proc/" + std::to_string(pid) + "/status");
        return read(status);
    }

    static process_condition read(std::istream& status)
    {
        process_condition result;
        for (std::string name; status >> name;)
        {
            if (name == "PPid:")
                status >> result.parent;
            if (name == "TracerPid:")
                status >> result.tracer;
            if (name == "CoreDumping:")
                status >> result.dumps_core;
            std::getline(status, name);
        }
        return result;
    }
};

/// What a process did while its loop stood still, between two looks at it.
inline std::string describe_hang(const process_activity& before, const process_activity& now)
{
    if (now.state == 'T' || now.state == 't')
        return "stopped";
    if (now.state == 'D')
        return "waits in the kernel";
    return now.ticks > before.ticks ? "spins" : "blocks";
}

/// Whether it wants to run, and has had no processor since.
///
/// The kernel counts a wait when it is over: of one that goes on, only this tells.
inline bool still_waits(const process_activity& since, const process_activity& now)
{
    return now.state == 'R' && now.ticks == since.ticks && now.waited == since.waited;
}

} // namespace brood::detail
