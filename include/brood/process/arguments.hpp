// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood
{
namespace detail
{

template <class Text>
concept argument_text =
    std::convertible_to<Text, std::string> || std::convertible_to<Text, std::string_view>;

} // namespace detail

/// The arguments of a program, without its name: `{"-l", "/tmp"}`, or a vector of strings.
///
/// They reach the program literally; no shell reads them. Strings, views and paths do; a number is
/// not an argument, `std::to_string` makes it one. One with a zero byte is refused at the start.
class arguments
{
public:
    arguments() = default;

    arguments(std::vector<std::string> list) : list_(std::move(list)) {}

    // No std::initializer_list: g++ 12 refuses it beside a co_await.
    template <detail::argument_text... Texts>
    requires(sizeof...(Texts) > 0) arguments(Texts&&... texts)
    {
        list_.reserve(sizeof...(texts));
        (list_.push_back(to_text(std::forward<Texts>(texts))), ...);
    }

    const std::vector<std::string>& list() const noexcept { return list_; }

    friend bool operator==(const arguments&, const arguments&) = default;

private:
    template <class Text>
    static std::string to_text(Text&& text)
    {
        if constexpr (std::convertible_to<Text, std::string>)
            return std::forward<Text>(text);
        else
            return std::string(std::string_view(text));
    }

    std::vector<std::string> list_;
};

} // namespace brood
