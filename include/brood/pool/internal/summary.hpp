// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/codec/name.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace brood::detail
{

template <class Value>
concept has_to_string = requires(const Value& value)
{
    std::string(to_string(value)); // found where the type is declared
};

template <class Value>
concept has_size = requires(const Value& value)
{
    value.size();
};

/// A text in quotes, and no more than its beginning.
inline std::string in_quotes(std::string_view text)
{
    constexpr std::size_t most = 60;
    std::string result = "\"";
    for (char letter : text.substr(0, most))
        result += static_cast<unsigned char>(letter) < 32 ? '?' : letter;
    return result + (text.size() > most ? "…\"" : "\"");
}

/// A value for people, as far as its type can be printed; else its type.
template <class Value>
std::string summary_of_value(const Value& value)
{
    if constexpr (std::is_same_v<Value, bool>)
        return value ? "true" : "false";
    else if constexpr (std::is_arithmetic_v<Value>)
        return std::to_string(value);
    else if constexpr (std::is_convertible_v<const Value&, std::string_view>)
        return in_quotes(value);
    else if constexpr (has_to_string<Value>)
        return in_quotes(to_string(value));
    else if constexpr (has_size<Value>)
        return std::string(message_name<Value>()) + " of " + std::to_string(value.size());
    else
        return std::string(message_name<Value>());
}

/// "(35, \"a text\")"
template <class... Values>
std::string summary_of(const std::tuple<Values...>& values)
{
    std::string result = "(";
    std::string_view between;
    auto add = [&](const auto& each)
    {
        result.append(std::exchange(between, ", ")).append(summary_of_value(each));
    };
    std::apply([&](auto&... each) { (add(each), ...); }, values);
    return result + ')';
}

} // namespace brood::detail
