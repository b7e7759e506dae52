// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/exit_status.hpp>

#include <cstddef>
#include <string>

namespace brood
{

/// What ended a command before its time.
enum class exec_limit
{
    none,    ///< Nothing: it ended by itself.
    timeout, ///< It took longer than exec_options::timeout().
    output,  ///< It printed more than exec_options::max_output().
};

/// "nothing", "it took too long", "it printed too much".
inline std::string to_string(exec_limit limit)
{
    switch (limit)
    {
    case exec_limit::none:
        return "nothing";
    case exec_limit::timeout:
        return "it took too long";
    case exec_limit::output:
        return "it printed too much";
    }
    return "limit " + std::to_string(static_cast<int>(limit));
}

/// What a command printed, and how it ended.
struct exec_result
{
    std::string out; ///< What it printed to stdout, byte for byte; at a limit, the part before it.
    std::string err; ///< The same of stderr.
    exit_status status;                  ///< How it ended.
    exec_limit limit = exec_limit::none; ///< Why it was ended, if it was.
    std::string command = {};            ///< What was run, as one would type it: "ls -l /tmp".

    /// Why it, or a process that it started, goes on although it was to be ended: it is another
    /// user's, as what sudo starts. Empty when nothing is known to be left. The status of a
    /// command that goes on itself is lost.
    std::string left_running = {};

    /// Whether it ended by itself, with code 0.
    bool success() const noexcept { return limit == exec_limit::none && status.success(); }
};

namespace detail
{

/// The last line that is not empty, or its first 300 bytes.
inline std::string last_line(const std::string& text)
{
    constexpr std::size_t longest = 300;
    auto end = text.find_last_not_of("\r\n");
    if (end == std::string::npos)
        return "";
    auto line_break = text.find_last_of("\r\n", end);
    auto begin = line_break == std::string::npos ? 0 : line_break + 1;
    auto size = end + 1 - begin;
    return size > longest ? text.substr(begin, longest) + "..." : text.substr(begin, size);
}

/// " (ls -l /tmp)", or its first 200 bytes.
inline std::string in_parentheses(const std::string& command)
{
    constexpr std::size_t longest = 200;
    if (command.empty())
        return "";
    auto shown = command.substr(0, longest);
    return " (" + shown + (command.size() > longest ? "...)" : ")");
}

} // namespace detail

/// "process 4711 (ls x) ended with code 2: ls: cannot access 'x'", with the last line of stderr;
/// says the limit when there was one, and why something is left running.
inline std::string to_string(const exec_result& result)
{
    auto who = "process " + std::to_string(result.status.pid);
    auto still_runs = result.status.lost && !result.left_running.empty();
    auto text = still_runs ? who + " still runs" : to_string(result.status);
    text.insert(who.size(), detail::in_parentheses(result.command));
    if (result.limit != exec_limit::none)
        text += (still_runs ? " although " : " because ") + to_string(result.limit);
    if (!result.left_running.empty())
        text += (still_runs ? ": " : ", and left a process running: ") + result.left_running;
    auto said = detail::last_line(result.err);
    return said.empty() ? text : text + ": " + said;
}

/// Prints what to_string gives.
template <class Stream>
auto operator<<(Stream& stream, exec_limit limit) -> decltype(stream << std::string())
{
    return stream << to_string(limit);
}

/// Prints what to_string gives.
template <class Stream>
auto operator<<(Stream& stream, const exec_result& result) -> decltype(stream << std::string())
{
    return stream << to_string(result);
}

} // namespace brood
