// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace brood::detail
{

template <class Type>
concept number = std::is_arithmetic_v<Type>;

template <class Type>
concept loadable_number = number<Type> && !std::is_const_v<Type>;

/// What may look at bytes of any origin.
template <class Type>
concept byte_like = std::is_same_v<Type, char> || std::is_same_v<Type, unsigned char> ||
    std::is_same_v<Type, std::byte>;

/// What an array or vector of is one piece of the wire's bytes, and no byte of it can be wrong.
template <class Type>
concept plain = std::is_same_v<Type, std::byte> ||(number<Type> && !std::is_same_v<Type, bool>);

/// What cereal::binary_data(pointer or array) consists of: numbers, or just bytes.
template <class Data>
using data_element = std::remove_cv_t<
    std::remove_all_extents_t<std::remove_pointer_t<std::remove_reference_t<Data>>>>;

template <class Data>
using stored_element =
    std::conditional_t<number<data_element<Data>>, data_element<Data>, std::byte>;

/// A size takes one byte, or this one and eight more.
inline constexpr unsigned char long_size = 255;
inline constexpr std::size_t longest_size = 9;

/// Elements that take no bytes cannot be counted by what is left of a message: this much memory may
/// be made of them.
inline constexpr std::size_t free_memory = std::size_t{64} << 10;

template <class Type>
concept container = requires
{
    sizeof(typename Type::value_type);
};

/// Bytes of memory that an element takes.
template <class Type>
constexpr std::size_t element_size()
{
    if constexpr (container<Type>)
        return sizeof(typename Type::value_type);
    else
        return 1;
}

/// Copies numbers of `size` bytes each from this machine's order to the wire's, or back.
template <std::size_t size, std::endian order = std::endian::native>
void copy_little(void* to, const void* from, std::size_t bytes)
{
    if constexpr (size == 1 || order == std::endian::little)
    {
        if (bytes != 0) // as the pointers of nothing may be null
            std::memcpy(to, from, bytes);
    }
    else
    {
        auto target = static_cast<std::byte*>(to);
        auto source = static_cast<const std::byte*>(from);
        for (std::size_t place = 0; place < bytes; ++place)
            target[place] = source[place - place % size + (size - 1 - place % size)];
    }
}

} // namespace brood::detail
