// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/base/task.hpp>
#include <brood/process/process.hpp>

#include <cstddef>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace brood::detail
{

/// A function that a forked copy of this program can start with, known by name in parent and child.
struct entry
{
    const char* name;
    task<int> (*start)(process&);
    entry* next;
};

inline entry* all_entries = nullptr;

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
            throw error(errc::closed,
                        "the parent has gone before it sent the arguments of the entry");
        std::get<Index>(arguments) = std::move(*value);
        co_await take_arguments<Index + 1>(self, arguments);
    }
}

/// Registers an entry before main() because fork<Entry>() names it somewhere in the program.
template <auto Entry>
struct registered
{
    using signature = entry_signature<std::decay_t<decltype(Entry)>>;

    static task<int> start(process& self)
    {
        typename signature::arguments arguments;
        co_await take_arguments<0>(self, arguments);
        auto begin = [&](auto&... values)
        {
            return Entry(self, std::move(values)...);
        };
        if constexpr (std::is_void_v<typename signature::result>)
        {
            co_await std::apply(begin, arguments);
            co_return self.exit_code();
        }
        else
        {
            int code = co_await std::apply(begin, arguments);
            co_return code;
        }
    }

    static entry* add(entry& added)
    {
        added.next = std::exchange(all_entries, &added);
        return &added;
    }

    inline static entry ours{typeid(registered).name(), &registered::start, nullptr};
    inline static entry* const listed = add(ours);
};

/// The entry of this name. Throws std::logic_error when there is none, or more than one.
inline const entry& find_entry(const std::string& name)
{
    const entry* found = nullptr;
    for (auto each = all_entries; each != nullptr; each = each->next)
    {
        if (name != each->name)
            continue;
        if (found != nullptr)
            throw std::logic_error("brood: two functions that fork() starts have the name " + name +
                                   "; give one of them another");
        found = each;
    }
    if (found == nullptr)
        throw std::logic_error("brood: this program has no entry " + name +
                               "; is it the program that forked it?");
    return *found;
}

} // namespace brood::detail
