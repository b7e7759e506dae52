// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/signal.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <sys/types.h>

namespace brood
{

/// How a process ended, and what it used. Code and signal stay apart: 128 + n is never made of a
/// signal.
struct exit_status
{
    pid_t pid = 0;  ///< Whose end this was.
    int code = 0;   ///< What it returned or gave to exit(), 0 to 255; 0 when a signal ended it.
    int signal = 0; ///< The signal that ended it, 0 when it ended by itself.
    bool core_dumped = false; ///< The signal left a core file behind.
    bool lost = false; ///< How it ended is unknown: somebody else in this process waited for it, or
                       ///< it ran elsewhere, and neither it nor its launcher could tell.
    std::chrono::microseconds
        user_time{}; ///< Processor time of the process and what it waited for.
    std::chrono::microseconds system_time{}; ///< The same, spent in the kernel for it.
    std::uint64_t max_rss = 0;               ///< The most memory it had resident, in bytes.
    /// How many descriptors that it was sent came back, as it had not taken them: they stay open
    /// until `channel::undelivered()` gives them, or the handle goes.
    std::size_t undelivered = 0;
    /// Of a process on another machine, what the command that started it said about its end: why it
    /// could not be started there, or was lost, and what to do.
    std::string why = {};
    /// Of a process on another machine by whose end its host failed too often: that its launcher
    /// starts none there for some time, and why. Empty otherwise.
    std::string host_set_aside = {};

    /// Whether it ended by itself with code 0.
    bool success() const noexcept { return code == 0 && signal == 0 && !lost; }

    friend bool operator==(const exit_status&, const exit_status&) = default;
};

/// "process 4711 ended with code 7", "process 4711 was ended by SIGSEGV (core dumped)",
/// "process 4711 was ended by SIGKILL (2 descriptors undelivered)".
inline std::string to_string(const exit_status& status)
{
    auto text = "process " + std::to_string(status.pid);
    if (status.lost)
        text += " ended, and how is not known";
    else if (status.signal != 0)
        text += " was ended by " + signal_name(status.signal) +
                (status.core_dumped ? " (core dumped)" : "");
    else
        text += " ended with code " + std::to_string(status.code);
    if (status.undelivered != 0)
        text += " (" + std::to_string(status.undelivered) +
                (status.undelivered == 1 ? " descriptor" : " descriptors") + " undelivered)";
    return status.why.empty() ? text : text + ": " + status.why;
}

/// Prints what to_string gives.
template <class Stream>
auto operator<<(Stream& stream, const exit_status& status) -> decltype(stream << std::string())
{
    return stream << to_string(status);
}

} // namespace brood
