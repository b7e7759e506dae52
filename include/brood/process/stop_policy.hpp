// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/signal.hpp>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace brood
{

/// One step of ending a process: what is done, and how long it has to react before the next one.
struct stop_step
{
    bool disconnect = false; ///< Close the channel first, if there is one: its reader sees the end.
    int signal = 0;          ///< Send this; 0 sends none.
    std::chrono::milliseconds wait{}; ///< Then wait so long for the exit.
    bool tree = false;                ///< Signal all that it started as well: as kill_tree().

    friend bool operator==(const stop_step&, const stop_step&) = default;
};

/// How a process is ended, as data: the steps are tried one after the other until it has. No
/// longer: even SIGKILL waits for a process that sleeps in a broken disk, so there is a last wait.
///
/// SIGCONT follows every signal but SIGKILL, since a stopped process would not even see a SIGTERM.
/// Unless a policy says otherwise, SIGKILL is for all that the process started, too: a process that
/// does not end when it is asked does not end its own children either.
class stop_policy
{
public:
    /// Close the channel and SIGTERM, 5 s later SIGKILL, which has 5 s to work.
    stop_policy() : stop_policy(std::chrono::seconds(5)) {}

    /// The same with another time between asking and SIGKILL, and another way of asking.
    explicit stop_policy(std::chrono::milliseconds grace, int signal = SIGTERM)
        : stop_policy(std::vector<stop_step>{{true, signal, grace},
                                             {false, SIGKILL, std::chrono::seconds(5), true}})
    {
    }

    /// Throws std::invalid_argument for a policy without a step, a signal that does not exist, or a
    /// negative time.
    explicit stop_policy(std::vector<stop_step> steps) : steps_(std::move(steps))
    {
        if (steps_.empty())
            throw std::invalid_argument("brood: a stop policy needs a step");
        for (auto& step : steps_)
            if (step.signal < 0 || step.signal >= NSIG || step.wait.count() < 0)
                throw std::invalid_argument("brood: a stop policy with signal " +
                                            std::to_string(step.signal) + " and a wait of " +
                                            std::to_string(step.wait.count()) +
                                            " ms: signals are 1 to " + std::to_string(NSIG - 1) +
                                            ", or 0 for none, and times not negative");
    }

    const std::vector<stop_step>& steps() const noexcept { return steps_; }

    friend bool operator==(const stop_policy&, const stop_policy&) = default;

private:
    std::vector<stop_step> steps_;
};

/// "disconnect, SIGTERM, wait 5000 ms; SIGKILL to its tree, wait 5000 ms".
inline std::string to_string(const stop_policy& policy)
{
    std::string text;
    for (auto& step : policy.steps())
    {
        text += text.empty() ? "" : "; ";
        text += step.disconnect ? "disconnect, " : "";
        if (step.signal != 0)
            text += signal_name(step.signal) + (step.tree ? " to its tree, " : ", ");
        text += "wait " + std::to_string(step.wait.count()) + " ms";
    }
    return text;
}

/// Prints what to_string gives.
template <class Stream>
auto operator<<(Stream& stream, const stop_policy& policy) -> decltype(stream << std::string())
{
    return stream << to_string(policy);
}

} // namespace brood
