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

} // namespace detail

/// "process 4711 ended with code 2: ls: cannot access 'x'", with the last line of stderr; says the
/// limit when there was one.
inline std::string to_string(const exec_result& result)
{
    auto text = to_string(result.status);
    if (result.limit != exec_limit::none)
        text += " because " + to_string(result.limit);
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
