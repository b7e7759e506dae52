// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstddef>
#include <limits>
#include <type_traits>

namespace brood
{

/// What a value may ask for while it is decoded. The bytes that are there limit the rest.
struct archive_limits
{
    /// How deep objects may stand inside each other; containers and pointers between them do not
    /// count. Encoding keeps it too, so that nothing is sent that the other side must refuse.
    std::size_t depth = 64;

    /// Memory for the elements of containers, in bytes and all containers together: what is nothing
    /// but a byte in the message may be a large object here. Encoding keeps it too.
    std::size_t memory = std::size_t{256} << 20;

    /// The longest encoding, in bytes: what is longer is refused before memory is taken for it.
    std::size_t bytes = std::numeric_limits<std::size_t>::max();
};

/// The values from `first` to `last`.
template <class Enum>
struct enum_bounds
{
    using number = std::underlying_type_t<Enum>;

    constexpr enum_bounds() = default;

    constexpr enum_bounds(Enum lowest, Enum highest)
        : first(static_cast<number>(lowest)), last(static_cast<number>(highest))
    {
    }

    number first = std::numeric_limits<number>::min();
    number last = std::numeric_limits<number>::max();
};

/// The values of an enum that a message may carry; others are refused as malformed.
///
/// C++ does not know the enumerators of a type, and flags are valid in every combination. Hence all
/// values of the underlying type are allowed until somebody says better:
///
///     template <>
///     inline constexpr brood::enum_bounds brood::enum_range<color>{color::red, color::blue};
template <class Enum>
inline constexpr enum_bounds<Enum> enum_range{};

/// Whether a message may hold a pointer to this polymorphic class.
///
/// Such a pointer lets the other side choose which registered class is constructed here, and
/// CEREAL_REGISTER_TYPE must come after <brood/codec/archive.hpp> in each file. A std::variant says
/// what may come, and needs neither. To allow it nonetheless:
///
///     template <>
///     inline constexpr bool brood::allow_polymorphic<shape> = true;
template <class Base>
inline constexpr bool allow_polymorphic = false;

} // namespace brood
