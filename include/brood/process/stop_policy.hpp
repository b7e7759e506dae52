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
class stop_step
{
public:
    /// Closes the channel, if there is one: its reader sees the end.
    static stop_step disconnect(std::chrono::milliseconds wait) { return {true, 0, wait}; }

    /// Sends it a signal; 0 sends none.
    static stop_step signal(int number, std::chrono::milliseconds wait)
    {
        return {false, number, wait};
    }

    /// Both, one right after the other.
    static stop_step disconnect_and_signal(int number, std::chrono::milliseconds wait)
    {
        return {true, number, wait};
    }

    /// Sends a signal to it and to all that it started, as child_process::kill_tree() does.
    static stop_step signal_tree(int number, std::chrono::milliseconds wait)
    {
        return {false, number, wait, true};
    }

    /// SIGKILL for it and for all that it started.
    static stop_step kill_tree(std::chrono::milliseconds wait)
    {
        return signal_tree(SIGKILL, wait);
    }

    bool disconnects() const noexcept { return disconnects_; }

    /// What is sent, 0 for nothing.
    int number() const noexcept { return number_; }

    /// How long it then has to end.
    std::chrono::milliseconds wait() const noexcept { return wait_; }

    /// Whether the signal is for all that it started as well.
    bool reaches_tree() const noexcept { return reaches_tree_; }

    friend bool operator==(const stop_step&, const stop_step&) = default;

private:
    stop_step(bool disconnects, int number, std::chrono::milliseconds wait,
              bool reaches_tree = false)
        : disconnects_(disconnects), number_(number), wait_(wait), reaches_tree_(reaches_tree)
    {
    }

    bool disconnects_;
    int number_;
    std::chrono::milliseconds wait_;
    bool reaches_tree_;
};

/// How a process is ended, as data: the steps are tried one after the other until it has. No
/// longer: even SIGKILL waits for a process that sleeps in a broken disk, so there is a last wait.
///
/// SIGCONT follows every signal but SIGKILL, since a frozen process would not even see a SIGTERM.
/// Unless a policy says otherwise, SIGKILL is for all that the process started, too: a process that
/// does not end when it is asked does not end its own children either.
class stop_policy
{
public:
    /// Close the channel and SIGTERM, 5 s later SIGKILL, which has 5 s to work.
    stop_policy() : stop_policy(std::chrono::seconds(5)) {}

    /// The same with another time between asking and SIGKILL, and another way of asking.
    explicit stop_policy(std::chrono::milliseconds grace, int signal = SIGTERM)
        : stop_policy(std::vector<stop_step>{stop_step::disconnect_and_signal(signal, grace),
                                             stop_step::kill_tree(std::chrono::seconds(5))})
    {
    }

    /// Throws std::invalid_argument for a policy without a step, a signal that does not exist, or a
    /// negative time.
    explicit stop_policy(std::vector<stop_step> steps) : steps_(std::move(steps))
    {
        if (steps_.empty())
            throw std::invalid_argument("brood: a stop policy needs a step");
        for (auto& step : steps_)
            if (step.number() < 0 || step.number() >= NSIG || step.wait().count() < 0)
                throw std::invalid_argument("brood: a stop policy with signal " +
                                            std::to_string(step.number()) + " and a wait of " +
                                            std::to_string(step.wait().count()) +
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
        text += step.disconnects() ? "disconnect, " : "";
        if (step.number() != 0)
            text += signal_name(step.number()) + (step.reaches_tree() ? " to its tree, " : ", ");
        text += "wait " + std::to_string(step.wait().count()) + " ms";
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
