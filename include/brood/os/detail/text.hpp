// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace brood::os::detail
{

/// The whole content of a file, or nothing when it cannot be read.
///
/// A file under /proc or /sys has no size: its end alone says how long it is.
inline std::optional<std::string> read_text(const std::string& path)
{
    descriptor file(retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
    if (!file)
        return std::nullopt;
    std::string text;
    std::array<char, 4096> part;
    for (;;)
    {
        auto count = retry([&] { return ::read(file.get(), part.data(), part.size()); });
        if (count < 0)
            return std::nullopt;
        if (count == 0)
            return text;
        text.append(part.data(), static_cast<std::size_t>(count));
    }
}

inline constexpr std::string_view blanks = " \t\n";

inline std::string_view trimmed(std::string_view text)
{
    auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Takes what stands before the separator, or all when there is none, off the front of a text.
inline std::string_view cut(std::string_view& rest, std::string_view separator)
{
    auto front = rest.substr(0, rest.find(separator));
    rest.remove_prefix(std::min(rest.size(), front.size() + separator.size()));
    return front;
}

/// Takes the next word and the blanks around it off the front of a text; empty at its end.
inline std::string_view cut_word(std::string_view& rest)
{
    rest = trimmed(rest);
    auto word = rest.substr(0, rest.find_first_of(blanks));
    rest.remove_prefix(word.size());
    return word;
}

/// The number that a text is, blanks around it aside; nothing for any other text.
template <class Number>
std::optional<Number> number(std::string_view text)
{
    text = trimmed(text);
    Number value{};
    auto end = text.data() + text.size();
    auto [stopped, failure] = std::from_chars(text.data(), end, value);
    if (failure != std::errc() || stopped != end)
        return std::nullopt;
    return value;
}

/// The value of the first line "key: value"; nothing when there is no such line.
inline std::optional<std::string_view> field(std::string_view text, std::string_view key)
{
    while (!text.empty())
    {
        auto value = cut(text, "\n");
        if (trimmed(cut(value, ":")) == key)
            return trimmed(value);
    }
    return std::nullopt;
}

/// Whether a list like "cpu,cpuacct" has this entry.
inline bool lists(std::string_view list, std::string_view entry)
{
    while (!list.empty())
        if (cut(list, ",") == entry)
            return true;
    return false;
}

} // namespace brood::os::detail
