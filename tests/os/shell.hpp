// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

namespace brood::test
{

/// What a shell command prints, without the end of its last line; throws when it fails.
inline std::string output_of(const std::string& command)
{
    std::string text;
    auto* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr)
        throw std::runtime_error("popen " + command);
    for (int letter = std::fgetc(pipe); letter != EOF; letter = std::fgetc(pipe))
        text += static_cast<char>(letter);
    if (::pclose(pipe) != 0)
        throw std::runtime_error(command + " failed");
    if (text.ends_with('\n'))
        text.pop_back();
    return text;
}

} // namespace brood::test
