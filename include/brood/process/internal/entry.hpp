// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/signature.hpp>
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

template <class Parameters>
struct behind_process
{
    static constexpr bool is_first = false;
    static constexpr bool by_value = true;
    using type = std::tuple<>;
};

template <class... Args>
struct behind_process<type_list<process&, Args...>>
{
    static constexpr bool is_first = true;
    static constexpr bool by_value =
        !((std::is_lvalue_reference_v<Args> && !std::is_const_v<std::remove_reference_t<Args>>) ||
          ...);
    using type = std::tuple<std::decay_t<Args>...>;
};

/// The parameters of an entry behind the process, when it is an entry.
template <class Function>
class entry_signature
{
    using told = signature<Function>;
    using parameters = behind_process<typename told::parameters>;
    using returned = awaited<typename told::result>;

    static_assert(told::known, "brood: what a child runs is one function or captureless lambda "
                               "that names its types, without overloads and auto");
    static_assert(!told::known || parameters::is_first,
                  "brood: what a child runs takes brood::process& as its first parameter");
    static_assert(!told::known || returned::coroutine,
                  "brood: what a child runs is a coroutine: it returns brood::task<>, or "
                  "brood::task<int> for its exit code");
    static_assert(parameters::by_value,
                  "brood: what a child runs takes what stands behind its process& by value or "
                  "const&: it comes from another process");

public:
    using result = typename returned::type;
    using arguments = typename parameters::type;
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

/// The tuple of what an entry is given, when it can be made of these.
template <auto Entry, class... Args>
class arguments_of
{
public:
    using type = typename registered<Entry>::arguments;

private:
    static constexpr bool enough = sizeof...(Args) == std::tuple_size_v<type>;

    static_assert(enough, "brood: what a child runs is given as many arguments as it has "
                          "parameters behind its process&");
    static_assert(!enough || std::is_constructible_v<type, Args...>,
                  "brood: an argument does not convert to what the child takes in its place");
};

} // namespace brood::detail
