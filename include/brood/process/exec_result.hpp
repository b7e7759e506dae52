// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/exit_status.hpp>

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

/// "process 4711 ended with code 2: ls: cannot access 'x'", with the last line of stderr; says the
/// limit when there was one.
inline std::string to_string(const exec_result& result)
{
    auto text = to_string(result.status);
    if (result.limit == exec_limit::timeout)
        text += " because it took too long";
    if (result.limit == exec_limit::output)
        text += " because it printed too much";
    auto end = result.err.find_last_not_of('\n');
    if (end == std::string::npos)
        return text;
    auto line_break = result.err.rfind('\n', end);
    auto begin = line_break == std::string::npos ? 0 : line_break + 1;
    return text + ": " + result.err.substr(begin, end + 1 - begin);
}

/// Prints what to_string gives.
template <class Stream>
auto operator<<(Stream& stream, const exec_result& result) -> decltype(stream << std::string())
{
    return stream << to_string(result);
}

} // namespace brood
