// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace brood::detail
{

/// Words by which a launcher says why it failed, and what people do about it.
struct known_failure
{
    std::string_view words;
    std::string_view what;
};

/// The last line that holds the words, without white space around it; at most 300 bytes.
inline std::string line_with(std::string_view text, std::string_view words)
{
    auto at = text.rfind(words);
    auto begin = text.find_last_of("\r\n", at);
    begin = begin == text.npos ? 0 : begin + 1;
    auto line = text.substr(begin, text.find_first_of("\r\n", at) - begin);
    auto first = line.find_first_not_of(" \t");
    line.remove_prefix(first == line.npos ? line.size() : first);
    return std::string(line.substr(0, 300));
}

/// "what it is (the line that says so)", for the first of the failures that the text holds.
template <class Failures>
std::optional<std::string> find_failure(const Failures& known, std::string_view text)
{
    for (const known_failure& each : known)
        if (text.find(each.words) != text.npos)
            return std::string(each.what) + " (" + line_with(text, each.words) + ")";
    return std::nullopt;
}

} // namespace brood::detail
