// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/text.hpp>
#include <brood/http/fields.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace brood::http
{
namespace detail
{

inline bool ends_field(char letter) noexcept
{
    auto code = static_cast<unsigned char>(letter);
    return (code < 0x20 && letter != '\t') || code == 0x7f;
}

inline void check_field(std::string_view name, std::string_view value)
{
    if (!is_token(name))
        throw std::invalid_argument("brood: http: not a name of a field: " + std::string(name));
    if (std::any_of(value.begin(), value.end(), ends_field))
        throw std::invalid_argument("brood: http: the value of the field " + std::string(name) +
                                    " holds a control character");
}

} // namespace detail

BROOD_INLINE bool same_name(std::string_view one, std::string_view other) noexcept
{
    return detail::same_ignoring_case(one, other);
}

BROOD_INLINE bool is_token(std::string_view text) noexcept
{
    auto is_part = [](char letter)
    {
        return detail::is_letter(letter) || detail::is_digit(letter) ||
               std::string_view("!#$%&'*+-.^_`|~").find(letter) != std::string_view::npos;
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), is_part);
}

BROOD_INLINE bool list_has(std::string_view list, std::string_view token) noexcept
{
    while (!list.empty())
        if (same_name(detail::trimmed(detail::cut(list, ',')), token))
            return true;
    return false;
}

BROOD_INLINE std::optional<std::string_view> fields::find(std::string_view name) const noexcept
{
    for (auto& each : places_)
        if (same_name(name_of(each), name))
            return value_of(each);
    return std::nullopt;
}

BROOD_INLINE std::vector<std::string_view> fields::all(std::string_view name) const
{
    std::vector<std::string_view> values;
    for (auto& each : places_)
        if (same_name(name_of(each), name))
            values.push_back(value_of(each));
    return values;
}

BROOD_INLINE std::optional<std::string> fields::joined(std::string_view name) const
{
    std::optional<std::string> list;
    for (auto value : all(name))
        list = list ? *list + ", " + std::string(value) : std::string(value);
    return list;
}

BROOD_INLINE void fields::add(std::string_view name, std::string_view value)
{
    detail::check_field(name, value);
    add_checked(name, value);
}

BROOD_INLINE void fields::add_checked(std::string_view name, std::string_view value)
{
    auto begin = text_.size();
    append(name, value);
    places_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(name.size()),
                       static_cast<std::uint32_t>(value.size())});
}

BROOD_INLINE void fields::set(std::string_view name, std::string_view value)
{
    detail::check_field(name, value);
    remove(name);
    add_checked(name, value);
}

BROOD_INLINE void fields::remove(std::string_view name)
{
    std::erase_if(places_, [&](auto& each) { return same_name(name_of(each), name); });
}

// The memory that they may be views of lives until they are copied.
BROOD_INLINE void fields::append(std::string_view name, std::string_view value)
{
    auto size = text_.size() + name.size() + value.size();
    if (size <= text_.capacity())
    {
        text_.append(name).append(value);
        return;
    }
    std::string larger;
    larger.reserve(std::max(size, 2 * text_.capacity()));
    larger.append(text_).append(name).append(value);
    text_ = std::move(larger);
}

} // namespace brood::http
