// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/process/internal/entries.hpp>
#include <brood/process/run.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace brood::detail
{

/// The parameters of an entry behind the process: what fork<entry>(...) is given.
template <class Function>
struct entry_signature : entry_signature<decltype(&Function::operator())>
{
};

template <class Result, class... Args>
struct entry_signature<task<Result> (*)(process&, Args...)>
{
    using result = Result;
    using arguments = std::tuple<std::decay_t<Args>...>;
};

template <class Result, class Class, class... Args>
struct entry_signature<task<Result> (Class::*)(process&, Args...) const>
    : entry_signature<task<Result> (*)(process&, Args...)>
{
};

/// Takes the arguments one after the other; each came as a message of its own.
template <std::size_t Index, class Arguments>
task<> take_arguments(process& self, Arguments& arguments)
{
    if constexpr (Index < std::tuple_size_v<Arguments>)
    {
        auto value = co_await self.channel::message<std::tuple_element_t<Index, Arguments>>();
        if (!value)
            throw_without_arguments();
        std::get<Index>(arguments) = std::move(*value);
        if constexpr (Index + 1 < std::tuple_size_v<Arguments>)
            co_await take_arguments<Index + 1>(self, arguments);
    }
}

/// Registers an entry before main() because fork<Entry>() names it somewhere in the program.
template <auto Entry>
struct registered
{
    using signature = entry_signature<std::decay_t<decltype(Entry)>>;
    using arguments = typename signature::arguments;

    template <class... Values>
    static task<int> call(process& self, Values&&... values)
    {
        if constexpr (std::is_void_v<typename signature::result>)
            return with_exit_code(self, Entry(self, std::forward<Values>(values)...));
        else if constexpr (std::is_same_v<typename signature::result, int>)
            return Entry(self, std::forward<Values>(values)...);
        else
            return to_code(Entry(self, std::forward<Values>(values)...));
    }

    static task<int> start_with_arguments(process& self)
    {
        arguments taken;
        co_await take_arguments<0>(self, taken);
        auto begin = [&](auto&... values)
        {
            return call(self, std::move(values)...);
        };
        auto code = co_await std::apply(begin, taken);
        co_return code;
    }

    static task<int> start(process& self)
    {
        if constexpr (std::tuple_size_v<arguments> == 0)
            return call(self);
        else
            return start_with_arguments(self);
    }

    inline static entry ours{typeid(registered).name(), &registered::start, nullptr};
    inline static entry* const listed = add_entry(ours);
};

} // namespace brood::detail
