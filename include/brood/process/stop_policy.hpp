// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/signal.hpp>

#include <chrono>
#include <csignal>
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
};

/// How a process is ended, as data: the steps are tried one after the other until it has.
///
/// SIGCONT follows every signal but SIGKILL, since a stopped process would not even see a SIGTERM.
class stop_policy
{
public:
    /// Close the channel and SIGTERM, 5 s later SIGKILL, which has 5 s to work.
    stop_policy() : stop_policy(std::chrono::seconds(5)) {}

    /// The same with another time between asking and SIGKILL.
    explicit stop_policy(std::chrono::milliseconds grace, int signal = SIGTERM)
        : steps_{{true, signal, grace}, {false, SIGKILL, std::chrono::seconds(5)}}
    {
    }

    explicit stop_policy(std::vector<stop_step> steps) : steps_(std::move(steps)) {}

    const std::vector<stop_step>& steps() const noexcept { return steps_; }

private:
    std::vector<stop_step> steps_;
};

/// "disconnect, SIGTERM, wait 5000 ms; SIGKILL, wait 5000 ms".
inline std::string to_string(const stop_policy& policy)
{
    std::string text;
    for (auto& step : policy.steps())
    {
        text += text.empty() ? "" : "; ";
        text += step.disconnect ? "disconnect, " : "";
        text += step.signal != 0 ? signal_name(step.signal) + ", " : "";
        text += "wait " + std::to_string(step.wait.count()) + " ms";
    }
    return text;
}

} // namespace brood
