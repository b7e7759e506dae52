// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/codec/archive.hpp>
#include <brood/codec/detail/refusal.hpp>
#include <brood/codec/name.hpp>

#include <concepts>
#include <type_traits>

namespace brood
{
namespace detail
{

/// An empty class needs no functions.
template <class Type>
inline constexpr bool both_ways = std::is_empty_v<Type> ||
                                  (savable<Type, archive_writer> && loadable<Type, archive_reader>);

} // namespace detail

/// A value that can cross to another process: it can be written and read by our archives, made
/// empty and moved.
///
/// For constraints of generic code. It looks at the type itself; what its members are comes out
/// when it is encoded, and is explained there. To tell people what is wrong, call check_message.
template <class Type>
concept message =
    std::is_object_v<Type> && !std::is_const_v<Type> && !std::is_volatile_v<Type> &&
    !std::is_pointer_v<Type> && !std::is_array_v<Type> && std::default_initializable<Type> &&
    std::movable<Type> && !detail::peer_chooses<Type>() && detail::both_ways<Type>;

namespace detail
{

template <class Type>
concept complete = requires
{
    sizeof(Type);
};

/// Explains why a class of its own cannot be a message, when it cannot.
template <class Type>
constexpr void refuse_value()
{
    using written = traits::detail::count_output_serializers<Type, archive_writer>;
    using read = traits::detail::count_input_serializers<Type, archive_reader>;
    using mixed_out = traits::has_invalid_output_versioning<Type, archive_writer>;
    using mixed_in = traits::has_invalid_input_versioning<Type, archive_reader>;
    constexpr bool out = savable<Type, archive_writer>, in = loadable<Type, archive_reader>;
    if constexpr (out != in && written::value < 2 && read::value < 2)
    {
        static_assert(in || !out, "a message that has a save function needs a load function too");
        static_assert(out || !in, "a message that has a load function needs a save function too");
    }
    else if constexpr (!std::is_empty_v<Type> || out)
    {
        refuse_unserializable<Type, written::value, mixed_out::value || mixed_in::value>();
    }
}

} // namespace detail

/// Says why a type is no message, in the first error that the compiler prints, with the cure.
///
/// For the first line of functions that take or give messages; true for those that are.
template <class Type>
constexpr bool check_message()
{
    static_assert(!std::is_reference_v<Type>,
                  "a message cannot be a reference; send the value it refers to");
    static_assert(!std::is_void_v<Type> && !std::is_function_v<Type>,
                  "a message cannot be void or a function; send a value");
    if constexpr (std::is_object_v<Type>)
    {
        static_assert(!std::is_const_v<Type> && !std::is_volatile_v<Type>,
                      "a message cannot be const or volatile; leave the word out");
        static_assert(
            !std::is_array_v<Type>,
            "a message cannot be an array; send a std::string, std::array or std::vector");
        static_assert(detail::complete<Type> || std::is_array_v<Type>,
                      "a message must be complete; include the header that defines it");
    }
    if constexpr (std::is_pointer_v<Type>)
    {
        static_assert(!std::is_pointer_v<Type>,
                      "a message cannot be a pointer; send the value it points to");
    }
    else if constexpr (detail::complete<Type> && std::is_object_v<Type> && !std::is_array_v<Type> &&
                       !std::is_const_v<Type>)
    {
        detail::refuse_polymorphic<Type>();
        if constexpr (std::is_arithmetic_v<Type>)
            detail::refuse_number<Type>();
        else
            detail::refuse_value<Type>();
        static_assert(std::default_initializable<Type>,
                      "a message needs a default constructor, to be read into");
        static_assert(std::movable<Type>, "a message needs to be movable");
    }
    return true;
}

} // namespace brood
