// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>

namespace brood::detail
{

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
inline constexpr bool compiler_destroys_twice = true;
#else
inline constexpr bool compiler_destroys_twice = false;
#endif

/// Refuses the temporaries that g++ before 13 destroys twice when they stand beside a co_await:
/// aggregates and closures with members that have a destructor (PR c++/99576). `Value` is a deduced
/// forwarding parameter: names come as references and are fine.
template <class Value>
constexpr void check_temporary()
{
    constexpr bool safe = std::is_reference_v<Value> || std::is_trivially_destructible_v<Value> ||
                          !(std::is_aggregate_v<Value> || requires { &Value::operator(); });
    static_assert(
        safe || !compiler_destroys_twice,
        "brood: this compiler destroys such a temporary twice inside a co_await; name the "
        "value first, and pass the name");
}

} // namespace brood::detail
