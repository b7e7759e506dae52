// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>
#include <type_traits>

namespace brood::detail
{

template <class Type>
constexpr const char* pretty_function()
{
    return __PRETTY_FUNCTION__;
}

/// The name of a type as this compiler writes it: good to look at, not the same everywhere.
template <class Type>
constexpr std::string_view raw_name()
{
    constexpr std::string_view model = pretty_function<double>();
    constexpr auto before = model.find("double");
    constexpr auto after = model.size() - before - std::string_view("double").size();
    std::string_view text = pretty_function<Type>();
    return text.substr(before, text.size() - before - after);
}

/// Removes the namespaces in front that a library hides inside its own: std::__1::, std::__cxx11::.
constexpr std::string_view without_inline_std(std::string_view after_std)
{
    while (after_std.starts_with('_') && after_std.find("::") < after_std.find('<'))
        after_std.remove_prefix(after_std.find("::") + 2);
    return after_std;
}

/// Whether a type, or the template that it is made from, stands in namespace std under this name;
/// the empty name means any.
template <class Type>
constexpr bool is_std(std::string_view name = {})
{
    auto text = raw_name<Type>();
    if (!text.starts_with("std::"))
        return false;
    text = without_inline_std(text.substr(5));
    return name.empty() || text.substr(0, text.find('<')) == name;
}

template <class Type>
constexpr bool is_boost_variant()
{
    return raw_name<Type>().starts_with("boost::variant<");
}

/// Whether a type is somebody's own class: all recursion of types goes through one.
template <class Type>
constexpr bool is_own_class()
{
    constexpr bool is_class = std::is_class_v<Type> || std::is_union_v<Type>;
    return is_class && !is_std<Type>() && !raw_name<Type>().starts_with("cereal::");
}

} // namespace brood::detail
