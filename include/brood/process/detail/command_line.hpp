// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/arguments.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

namespace brood::detail
{

/// As one would type it, so that texts can show it.
inline std::string command_line(std::string text, const arguments& args)
{
    for (auto& each : args.list())
    {
        auto plain = !each.empty() && each.find_first_of(" \t\n\"'\\$") == std::string::npos;
        text += plain ? " " + each : " '" + each + "'";
    }
    return text;
}

/// So much of it as one reads in an error. A zero byte, for which a start is refused, would end it.
inline std::string beginning_of(std::string command)
{
    std::replace(command.begin(), command.end(), '\0', '?');
    constexpr std::size_t most = 200;
    if (command.size() > most)
        command.replace(most, std::string::npos, "...");
    return command;
}

} // namespace brood::detail
