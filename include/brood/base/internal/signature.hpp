// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>

#include <type_traits>

namespace brood::detail
{

template <class... Types>
struct type_list
{
};

/// What a function or lambda returns and takes; unknown when it is neither, has overloads, or is a
/// template, as a lambda with `auto` is.
template <class Function>
struct signature
{
    static constexpr bool known = false;
    using result = void;
    using parameters = type_list<>;
};

template <class Function>
requires requires
{
    &Function::operator();
}
struct signature<Function> : signature<decltype(&Function::operator())>
{
};

template <class Result, class... Parameters>
struct signature<Result (*)(Parameters...)>
{
    static constexpr bool known = true;
    using result = Result;
    using parameters = type_list<Parameters...>;
};

template <class Result, class... Parameters>
struct signature<Result (*)(Parameters...) noexcept> : signature<Result (*)(Parameters...)>
{
};

template <class Result, class Class, class... Parameters>
struct signature<Result (Class::*)(Parameters...)> : signature<Result (*)(Parameters...)>
{
};

template <class Result, class Class, class... Parameters>
struct signature<Result (Class::*)(Parameters...) const> : signature<Result (*)(Parameters...)>
{
};

template <class Result, class Class, class... Parameters>
struct signature<Result (Class::*)(Parameters...) noexcept> : signature<Result (*)(Parameters...)>
{
};

template <class Result, class Class, class... Parameters>
struct signature<Result (Class::*)(Parameters...) const noexcept>
    : signature<Result (*)(Parameters...)>
{
};

/// What awaiting a result gives, when it is a task; else the result itself.
template <class Result>
struct awaited
{
    using type = Result;
    static constexpr bool coroutine = false;
};

template <class Result>
struct awaited<task<Result>>
{
    using type = Result;
    static constexpr bool coroutine = true;
};

} // namespace brood::detail
