// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

namespace brood::detail
{

/// What a script of ours says behind these words, on a line of its own: whatever a login prints
/// before does not matter. Empty when it does not say it.
inline std::string said_behind(std::string_view text, std::string_view words)
{
    auto begin = text.rfind("\n" + std::string(words));
    if (begin == text.npos)
        return {};
    auto said = text.substr(begin + 1 + words.size());
    return std::string(said.substr(0, said.find_first_of("\r\n")));
}

} // namespace brood::detail
