// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/codec/detail/functions.hpp>
#include <brood/codec/detail/raw_name.hpp>
#include <brood/codec/limits.hpp>

#include <memory>
#include <type_traits>

// Why a type cannot be sent, each in a sentence with the cure; the most specific comes first, and
// one mistake gives one sentence.

namespace brood::detail
{

/// What a smart pointer points to; void for everything else.
template <class Type>
struct pointee
{
    using type = void;
};

template <class Target>
struct pointee<std::shared_ptr<Target>>
{
    using type = Target;
};

template <class Target>
struct pointee<std::weak_ptr<Target>>
{
    using type = Target;
};

template <class Target, class Deleter>
struct pointee<std::unique_ptr<Target, Deleter>>
{
    using type = Target;
};

template <class Type>
using pointee_t = std::remove_cv_t<typename pointee<Type>::type>;

/// Whether the other side would choose what is constructed, and nobody has allowed it.
template <class Type>
constexpr bool peer_chooses()
{
    if constexpr (std::is_polymorphic_v<pointee_t<Type>>)
        return !allow_polymorphic<pointee_t<Type>>;
    else
        return false;
}

template <class Type>
constexpr void refuse_polymorphic()
{
    static_assert(!peer_chooses<Type>(),
                  "a message cannot hold a pointer to a polymorphic class, which lets the other "
                  "side choose what is constructed; use a std::variant of the classes, or "
                  "specialise brood::allow_polymorphic");
}

/// Types that have one meaning on every machine, or say what to take instead.
template <class Number>
constexpr void refuse_number()
{
    using type = std::remove_cv_t<Number>;
    static_assert(!std::is_same_v<type, long double>,
                  "a message cannot hold a long double, which is another type on other machines; "
                  "send a double");
    static_assert(!std::is_same_v<type, wchar_t> || sizeof(type) == 4,
                  "a message cannot hold a wchar_t, which has 2 bytes on this machine and 4 on "
                  "others; send a char16_t or char32_t");
    static_assert((!std::is_same_v<type, long> && !std::is_same_v<type, unsigned long>) ||
                      sizeof(type) == 8,
                  "a message cannot hold a long, which has 4 bytes on this machine and 8 on "
                  "others; send a std::int64_t");
}

/// The containers of the standard library that cereal knows, by the header that is missing.
template <class Type>
constexpr void refuse_std()
{
    constexpr auto is = [](auto... names)
    {
        return (is_std<Type>(names) || ...);
    };
    static_assert(!is("basic_string_view"),
                  "a std::string_view does not own its characters; send a std::string");
    static_assert(!is("span"), "a std::span does not own its elements; send a std::vector");
    static_assert(!is("array"), "include <cereal/types/array.hpp> to send a std::array");
    static_assert(!is("atomic"), "include <cereal/types/atomic.hpp> to send a std::atomic");
    static_assert(!is("bitset"), "include <cereal/types/bitset.hpp> to send a std::bitset");
    static_assert(!is("chrono::duration", "chrono::time_point"),
                  "include <cereal/types/chrono.hpp> to send what std::chrono has");
    static_assert(!is("complex"), "include <cereal/types/complex.hpp> to send a std::complex");
    static_assert(!is("deque"), "include <cereal/types/deque.hpp> to send a std::deque");
    static_assert(!is("forward_list"),
                  "include <cereal/types/forward_list.hpp> to send a std::forward_list");
    static_assert(!is("list"), "include <cereal/types/list.hpp> to send a std::list");
    static_assert(!is("map", "multimap"), "include <cereal/types/map.hpp> to send a std::map");
    static_assert(!is("unique_ptr", "shared_ptr", "weak_ptr"),
                  "include <cereal/types/memory.hpp> to send what a smart pointer points to");
    static_assert(!is("optional"), "include <cereal/types/optional.hpp> to send a std::optional");
    static_assert(!is("queue", "priority_queue"),
                  "include <cereal/types/queue.hpp> to send a std::queue");
    static_assert(!is("set", "multiset"), "include <cereal/types/set.hpp> to send a std::set");
    static_assert(!is("stack"), "include <cereal/types/stack.hpp> to send a std::stack");
    static_assert(!is("tuple"), "include <cereal/types/tuple.hpp> to send a std::tuple");
    static_assert(!is("unordered_map", "unordered_multimap"),
                  "include <cereal/types/unordered_map.hpp> to send a std::unordered_map");
    static_assert(!is("unordered_set", "unordered_multiset"),
                  "include <cereal/types/unordered_set.hpp> to send a std::unordered_set");
    static_assert(!is("pair"), "include <cereal/types/utility.hpp> to send a std::pair");
    static_assert(!is("valarray"), "include <cereal/types/valarray.hpp> to send a std::valarray");
    static_assert(!is("variant"), "include <cereal/types/variant.hpp> to send a std::variant");
}

/// Explains why a class has no function that an archive could call.
template <class Type, int functions, bool versions_mixed>
constexpr void refuse_class()
{
    static_assert(functions != 0 || is_std<Type>(),
                  "a message needs a serialize function: template <class Archive> void "
                  "serialize(Archive& archive) { archive(a, b); } with its members for a and b, "
                  "public or beside `friend class cereal::access;`");
    static_assert(functions != 0, "a message cannot hold this type of the standard library, for "
                                  "which cereal has no functions; send what it is made of");
    static_assert(functions < 2 && !versions_mixed,
                  "a message needs one way to be serialised and this has several (inherited and "
                  "versioned ones count); remove all but one, or choose with cereal::specialize");
}

/// Explains why a type cannot be written or read, when it cannot.
template <class Type, int functions, bool versions_mixed>
constexpr void refuse_unserializable()
{
    if constexpr (std::is_pointer_v<Type> || std::is_member_pointer_v<Type> ||
                  std::is_null_pointer_v<Type>)
    {
        static_assert(!std::is_pointer_v<Type> && !std::is_member_pointer_v<Type> &&
                          !std::is_null_pointer_v<Type>,
                      "a message cannot hold a pointer; send the value it points to");
    }
    else if constexpr (functions != 1 || versions_mixed)
    {
        if constexpr (is_std<Type>() && functions == 0)
            refuse_std<Type>();
        refuse_class<Type, functions, versions_mixed>();
    }
}

} // namespace brood::detail
