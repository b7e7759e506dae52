// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/node_list.hpp>

#include <charconv>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace brood
{
namespace detail
{

/// Reads the compressed lists of Slurm.
class node_list_reader
{
public:
    explicit node_list_reader(std::string_view text) : text_(text) {}

    std::vector<std::string> names()
    {
        std::vector<std::string> all;
        while (at_ < text_.size())
        {
            auto more = name();
            if (all.size() + more.size() > most)
                refuse("it has more than 65536 entries");
            all.insert(all.end(), more.begin(), more.end());
            next_entry();
        }
        return all;
    }

    std::vector<std::size_t> counts()
    {
        std::vector<std::size_t> all;
        while (at_ < text_.size())
        {
            auto count = number(until(",("));
            std::size_t times = 1;
            if (text_.substr(at_, 2) == "(x")
            {
                at_ += 2;
                times = number(until(")"));
                skip(')');
            }
            if (all.size() + times > most)
                refuse("it has more than 65536 entries");
            all.insert(all.end(), times, count);
            next_entry();
        }
        return all;
    }

private:
    [[noreturn]] void refuse(const std::string& why) const
    {
        throw std::invalid_argument("brood: list of nodes \"" + std::string(text_.substr(0, 300)) +
                                    "\": " + why);
    }

    /// What is left of the text up to one of these.
    std::string_view until(std::string_view marks)
    {
        auto end = text_.find_first_of(marks, at_);
        auto found = text_.substr(at_, end - at_);
        at_ += found.size();
        return found;
    }

    void skip(char wanted)
    {
        if (at_ == text_.size() || text_[at_] != wanted)
            refuse("a " + std::string(1, wanted) + " is missing");
        ++at_;
    }

    void next_entry()
    {
        if (at_ == text_.size())
            return;
        skip(',');
        if (at_ == text_.size())
            refuse("nothing stands behind the last comma");
    }

    std::size_t number(std::string_view text) const
    {
        std::size_t value = 0;
        auto end = text.data() + text.size();
        auto [stop, failed] = std::from_chars(text.data(), end, value);
        if (failed != std::errc() || stop != end)
            refuse('"' + std::string(text) + "\" is no number");
        return value;
    }

    /// One entry: text and brackets in turn.
    std::vector<std::string> name()
    {
        std::vector<std::string> made{std::string()};
        auto begin = at_;
        for (;;)
        {
            auto plain = until("[],");
            for (auto& each : made)
                each += plain;
            if (at_ == text_.size() || text_[at_] == ',')
                break;
            skip('[');
            made = multiplied(made, range_list());
            skip(']');
        }
        if (at_ == begin)
            refuse("a name is missing");
        return made;
    }

    std::vector<std::string> multiplied(const std::vector<std::string>& heads,
                                        const std::vector<std::string>& tails) const
    {
        if (tails.empty() || heads.size() > most / tails.size())
            refuse(tails.empty() ? "there is nothing between [ and ]"
                                 : "it has more than 65536 entries");
        std::vector<std::string> made;
        made.reserve(heads.size() * tails.size());
        for (auto& head : heads)
            for (auto& tail : tails)
                made.push_back(head + tail);
        return made;
    }

    /// "1-3,07".
    std::vector<std::string> range_list()
    {
        std::vector<std::string> made;
        while (at_ < text_.size() && text_[at_] != ']')
        {
            auto range = until(",]");
            auto dash = range.find('-');
            auto first = range.substr(0, dash);
            auto low = number(first);
            auto high = dash == range.npos ? low : number(range.substr(dash + 1));
            if (high < low || high - low >= most)
                refuse('"' + std::string(range) + "\" is no range");
            for (auto value = low; value <= high; ++value)
                made.push_back(padded(value, first.size()));
            if (made.size() > most)
                refuse("it has more than 65536 entries");
            if (at_ < text_.size() && text_[at_] == ',')
                ++at_;
        }
        return made;
    }

    static std::string padded(std::size_t value, std::size_t width)
    {
        auto digits = std::to_string(value);
        return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
    }

    static constexpr std::size_t most = 65'536;

    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace detail

BROOD_INLINE std::vector<std::string> expand_nodes(std::string_view text)
{
    return detail::node_list_reader(text).names();
}

BROOD_INLINE std::vector<std::size_t> expand_counts(std::string_view text)
{
    return detail::node_list_reader(text).counts();
}

} // namespace brood
