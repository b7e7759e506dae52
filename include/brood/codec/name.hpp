// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <brood/base/internal/hash.hpp>
#include <brood/codec/detail/plain_name.hpp>
#include <brood/codec/detail/raw_name.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace brood
{

/// The name of a type in messages, when it is not the one in the source: to rename or move a class
/// while old programs run, or to give a new version another name on purpose.
///
///     template <>
///     inline constexpr std::string_view brood::name_of<answer> = "acme.answer.v2";
///
/// Must stand before the first use of the type in a message, in every file.
template <class Type>
inline constexpr std::string_view name_of{};

template <>
inline constexpr std::string_view name_of<std::string> = "std::string";

/// The name of a type, the same from every compiler and standard library: "acme::answer",
/// "std::vector<i32>".
///
/// Numbers are named by kind and width, as their bytes are the same; default arguments of std are
/// left out. Classes local to a function are named without it, and g++ includes inline namespaces
/// of yours, which clang leaves out: give name_of to what crosses between compilers from there.
template <class Type>
constexpr std::string_view message_name();

/// Stands for the type in the header of a frame: the 64-bit FNV-1a hash of its name
/// (http://www.isthe.com/chongo/tech/comp/fnv/).
template <class Type>
constexpr std::uint64_t message_fingerprint();

namespace detail
{

template <class Type>
constexpr void add_name(name_sink& to);

/// Names as the compiler writes them, and templates by their arguments.
template <class Type>
struct name_parts
{
    static constexpr void add_to(name_sink& to) { add_plain(to, raw_name<Type>()); }
};

/// What std fills in by itself at the end of a list of arguments.
template <class Argument>
constexpr bool is_std_default()
{
    return is_std<Argument>("allocator") || is_std<Argument>("char_traits") ||
           is_std<Argument>("less") || is_std<Argument>("hash") || is_std<Argument>("equal_to") ||
           is_std<Argument>("default_delete");
}

template <template <class...> class Template, class... Arguments>
struct name_parts<Template<Arguments...>>
{
    static constexpr void add_to(name_sink& to)
    {
        add_plain(to, without_arguments(raw_name<Template<Arguments...>>()));
        to.add("<");
        std::size_t place = 0;
        ((place++ < written ? add_argument<Arguments>(to, place) : void()), ...);
        to.add(">");
    }

private:
    static constexpr std::size_t count_written()
    {
        std::size_t place = 0, last = 0;
        ((++place, last = is_std_default<Arguments>() ? last : place), ...);
        return is_std<Template<Arguments...>>() ? last : place;
    }

    template <class Argument>
    static constexpr void add_argument(name_sink& to, std::size_t place)
    {
        to.add(place > 1 ? ", " : "");
        add_name<Argument>(to);
    }

    static constexpr std::size_t written = count_written();
};

template <class Element, std::size_t size>
struct name_parts<std::array<Element, size>>
{
    static constexpr void add_to(name_sink& to)
    {
        to.add("std::array<");
        add_name<Element>(to);
        to.add(", ");
        to.add(size);
        to.add(">");
    }
};

template <class Type>
constexpr void add_name(name_sink& to)
{
    if constexpr (!name_of<Type>.empty())
    {
        to.add(name_of<Type>);
    }
    else if constexpr (std::is_const_v<Type>)
    {
        to.add("const ");
        add_name<std::remove_const_t<Type>>(to);
    }
    else if constexpr (std::is_bounded_array_v<Type>)
    {
        add_name<std::remove_extent_t<Type>>(to);
        to.add("[");
        to.add(std::extent_v<Type>);
        to.add("]");
    }
    else
    {
        name_parts<Type>::add_to(to);
    }
}

template <class Type>
constexpr auto make_name()
{
    constexpr auto size = []
    {
        name_sink counted;
        add_name<Type>(counted);
        return counted.size;
    }();
    std::array<char, size> text{};
    name_sink written{text.data()};
    add_name<Type>(written);
    return text;
}

template <class Type>
inline constexpr auto stored_name = make_name<Type>();

} // namespace detail

template <class Type>
constexpr std::string_view message_name()
{
    return {detail::stored_name<Type>.data(), detail::stored_name<Type>.size()};
}

template <class Type>
constexpr std::uint64_t message_fingerprint()
{
    constexpr auto hash = detail::hash_of(message_name<Type>());
    return hash;
}

} // namespace brood
