// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/detail/letters.hpp>
#include <brood/remote/launch_command.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

namespace brood
{
namespace detail
{

/// Means nothing to any shell, wherever it stands.
inline bool is_plain_in_shells(char one) noexcept
{
    return is_letter_or_digit(one) || std::string_view("_-./:,@%+").find(one) != std::string::npos;
}

inline bool is_variable_name(std::string_view name) noexcept
{
    return !name.empty() && (name.front() < '0' || name.front() > '9') &&
           std::all_of(name.begin(), name.end(),
                       [](char one) { return one == '_' || is_letter_or_digit(one); });
}

/// Whether every shell takes these literally between single quotes, but for what is in `but`.
/// csh looks for ! and line breaks also there, fish for backslashes.
inline bool is_literal_in_quotes(char one, std::string_view but) noexcept
{
    return one >= ' ' && one < 0x7f && but.find(one) == std::string_view::npos;
}

/// For printf %b between double quotes, which are between single quotes: what means something
/// there, to any shell, is \0 and its octal number.
inline std::string octal_for_printf(std::string_view text)
{
    std::string encoded;
    for (auto one : text)
    {
        auto byte = static_cast<unsigned char>(one);
        if (is_literal_in_quotes(one, "\\'\"!$`"))
        {
            encoded += one;
            continue;
        }
        encoded += "\\0";
        for (auto shift : {6, 3, 0})
            encoded += static_cast<char>('0' + ((byte >> shift) & 7));
    }
    return encoded;
}

} // namespace detail

BROOD_INLINE std::string shell_quoted(std::string_view text)
{
    if (!text.empty() && std::all_of(text.begin(), text.end(), detail::is_plain_in_shells))
        return std::string(text);
    std::string quoted = "'";
    for (auto one : text)
        quoted += one == '\'' ? std::string("'\\''") : std::string(1, one);
    return quoted + "'";
}

BROOD_INLINE std::string to_string(const launch_command& command)
{
    std::string text;
    for (auto& [name, value] : command.variables)
        text += name + '=' + shell_quoted(value) + ' ';
    text += shell_quoted(command.program);
    for (auto& argument : command.args.list())
        text += ' ' + shell_quoted(argument);
    return text;
}

BROOD_INLINE std::string remote_script(std::string_view text_for_sh)
{
    if (text_for_sh.find('\0') != std::string_view::npos)
        throw std::invalid_argument("brood: a command for another machine holds a zero byte, which "
                                    "no argument can");
    // What needs no encoding can be read in the process table as it is.
    if (std::all_of(text_for_sh.begin(), text_for_sh.end(),
                    [](char one) { return detail::is_literal_in_quotes(one, "\\'!"); }))
        return "exec /bin/sh -c '" + std::string(text_for_sh) + "'";
    return "exec /bin/sh -c 'eval \"$(printf %b \"" + detail::octal_for_printf(text_for_sh) +
           "\")\"'";
}

BROOD_INLINE std::string sh_text(const worker_program& program)
{
    if (program.path.empty())
        throw std::invalid_argument("brood: a worker elsewhere has no program");
    std::string text;
    if (!program.cwd.empty())
    {
        // Not what cd(1) makes of "-", nor of CDPATH.
        auto relative = program.cwd.front() != '/';
        text += "cd " + shell_quoted((relative ? "./" : "") + program.cwd) + " || exit 125; ";
    }
    for (auto& [name, value] : program.variables)
    {
        if (!detail::is_variable_name(name))
            throw std::invalid_argument("brood: \"" + name +
                                        "\" is no name of a variable for a "
                                        "shell: letters, digits and _, and no digit first");
        text += name + '=' + shell_quoted(value) + ' ';
    }
    // A name could be a word of the shell: if, for.
    if (program.path.find('/') == std::string::npos)
        text += "command -- ";
    text += shell_quoted(program.path);
    for (auto& argument : program.args.list())
        text += ' ' + shell_quoted(argument);
    return text + "; exit $?";
}

BROOD_INLINE std::string remote_script(const worker_program& program)
{
    return remote_script(sh_text(program));
}

} // namespace brood
