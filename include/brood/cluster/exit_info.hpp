// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/exit_status.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace brood
{

/// Why a worker ended.
enum class exit_cause
{
    exited,        ///< By itself, with a code.
    signalled,     ///< By a signal that the cluster did not send.
    oom,           ///< The kernel killed it because there was no memory left, as the count of
                   ///< such kills in our control group says. Elsewhere that is `signalled`.
    limit,         ///< A worker of a pool broke one of its limits: the reason says which.
    gave_up,       ///< It said that starting it again is of no use, and why.
    start_failed,  ///< It could not be started: the reason says which step failed.
    start_timeout, ///< It was not ready in time, and was stopped.
    hung,          ///< Its loop stood still, and it was killed: the reason says what it did.
    unreachable,   ///< It closed its channel and lived on, or sent what no worker sends: nothing
                   ///< could be told to it any more.
    lost,          ///< It was elsewhere, and its launcher, or the word that it lives, fell silent;
                   ///< neither told how it ended. The reason says what was missing.
    unkillable,    ///< It outlived every step of its stop policy, and is detached: it still
                   ///< runs. The reason says why it was to end.
    children_failed, ///< A supervisor, or a cluster, whose children failed too often.
    recycled,        ///< It had lived long enough.
    replaced,        ///< A reload put another one in its place.
    scaled_down,     ///< Fewer workers were wanted.
    taken_down,      ///< Another child of its supervisor ended, and the strategy restarts both.
    stopped,         ///< The cluster, or worker::stop(), stopped it.
};

inline constexpr std::size_t exit_cause_count = static_cast<std::size_t>(exit_cause::stopped) + 1;

/// "exited", "signalled", "gave up", …
inline std::string to_string(exit_cause cause)
{
    switch (cause)
    {
    case exit_cause::exited:
        return "exited";
    case exit_cause::signalled:
        return "signalled";
    case exit_cause::oom:
        return "out of memory";
    case exit_cause::limit:
        return "limit";
    case exit_cause::gave_up:
        return "gave up";
    case exit_cause::start_failed:
        return "start failed";
    case exit_cause::start_timeout:
        return "start timeout";
    case exit_cause::hung:
        return "hung";
    case exit_cause::unreachable:
        return "unreachable";
    case exit_cause::lost:
        return "lost";
    case exit_cause::unkillable:
        return "unkillable";
    case exit_cause::children_failed:
        return "children failed";
    case exit_cause::recycled:
        return "recycled";
    case exit_cause::replaced:
        return "replaced";
    case exit_cause::scaled_down:
        return "scaled down";
    case exit_cause::taken_down:
        return "taken down";
    case exit_cause::stopped:
        return "stopped";
    }
    return "unknown";
}

/// The end of a worker: which one, how and why.
struct exit_info
{
    std::string name;     ///< Of the child, in a tree of supervisors: "front/web".
    std::uint64_t id = 0; ///< Of the worker; no other ever has it. 0 for a whole supervisor.
    std::size_t slot = 0; ///< Its place, which its successor takes over.
    exit_status status;   ///< How its process ended; of no process when it never started.
    exit_cause cause = exit_cause::exited;
    std::chrono::milliseconds uptime{0}; ///< From the start of its process to its end.
    bool was_ready = false;              ///< Whether it could be given work.
    std::string reason; ///< What it, or the system, said, when the cause is one that says more.
    std::string last_output; ///< The last that it printed, when cluster_settings::output takes it.
    std::string host; ///< Of a worker elsewhere, as its launcher calls it; empty for this machine.

    /// Whether the cluster itself wanted this end: never a failure, however the process took it.
    bool wanted() const noexcept { return cause >= exit_cause::recycled; }

    /// Whether it ended as it should not have: by a signal, with a code other than 0, or before it
    /// was ready.
    bool failed() const noexcept
    {
        return !wanted() && (cause != exit_cause::exited || status.code != 0 || !was_ready);
    }

    friend bool operator==(const exit_info&, const exit_info&) = default;
};

/// "worker 7 in slot 2: process 4711 was ended by SIGKILL after 1530 ms", or with its name first;
/// "worker 7 in slot 2 on n3: …" of one elsewhere.
inline std::string to_string(const exit_info& ended)
{
    auto text = ended.name;
    if (ended.id == 0)
        return text + ": " + to_string(ended.cause) + (ended.reason.empty() ? "" : ": ") +
               ended.reason;
    if (text.empty())
        text = "worker " + std::to_string(ended.id) + " in slot " + std::to_string(ended.slot);
    if (!ended.host.empty())
        text += " on " + ended.host;
    if (ended.cause == exit_cause::start_failed)
        return text + " did not start: " + ended.reason;
    auto after = " after " + std::to_string(ended.uptime.count()) + " ms";
    if (ended.cause == exit_cause::lost)
        return text + " was lost" + after + (ended.reason.empty() ? "" : ": ") + ended.reason;
    auto how = ended.cause == exit_cause::unkillable
                   ? "process " + std::to_string(ended.status.pid) + " still runs"
                   : to_string(ended.status);
    text += ": " + how + after;
    if (ended.cause > exit_cause::signalled)
        text +=
            " (" + to_string(ended.cause) + (ended.reason.empty() ? "" : ": ") + ended.reason + ')';
    else if (!ended.was_ready)
        text += ", before it was ready";
    return text;
}

/// Prints what to_string gives.
template <class Stream>
auto operator<<(Stream& stream, const exit_info& ended) -> decltype(stream << std::string())
{
    return stream << to_string(ended);
}

} // namespace brood
