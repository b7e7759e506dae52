// SPDX-License-Identifier: BSL-1.0
// What coroutines.query must tell apart: every line with "// wrong" is found, and no other.

#include <brood/base/task.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace
{

using brood::task;

struct aggregate
{
    int id = 0;
    std::string text;
};

struct trivial
{
    int id = 0;
    std::chrono::seconds time{};
};

struct with_constructor
{
    with_constructor(int number, std::string name) : id(number), text(std::move(name)) {}
    int id;
    std::string text;
};

task<int> take(aggregate)
{
    co_return 1;
}

task<int> take_trivial(trivial)
{
    co_return 1;
}

task<int> take_class(with_constructor)
{
    co_return 1;
}

template <class Function>
task<int> take_function(Function)
{
    co_return 1;
}

task<std::string> word()
{
    co_return "word";
}

task<int> wrong(std::string text, bool yes)
{
    int sum = 0;
    sum += co_await take(aggregate{1, text});                  // wrong
    sum += co_await take({1, text});                           // wrong
    sum += co_await take({});                                  // wrong
    sum += co_await take({.id = 1, .text = text});             // wrong
    sum += co_await take(aggregate(1, text));                  // wrong
    sum += co_await take_function([text] { return text; });    // wrong
    sum += co_await take_function([=] { return text; });       // wrong
    sum += co_await (yes ? take({}) : take(aggregate()));      // wrong
    aggregate built{1, co_await word()};                       // wrong
    sum += co_await take_class(yes ? with_constructor(1, text) // wrong
                                   : with_constructor(2, text));
    co_return sum + built.id;
}

task<int> right(std::string text, bool yes)
{
    int sum = 0;
    aggregate named{1, text};
    sum += co_await take(named);
    sum += co_await take(std::move(named));
    sum += co_await take_trivial({.id = 1, .time = {}});
    sum += co_await take_trivial(trivial{1, {}});
    sum += co_await take_class(with_constructor(1, text));
    sum += co_await take_class({1, text});
    sum += co_await take_function([] { return 1; });
    sum += co_await take_function([&text] { return text; });
    sum += co_await take_function([yes] { return yes; });
    auto function = [text]
    {
        return text;
    };
    sum += co_await take_function(std::move(function));
    auto other = [text]() -> task<int>
    {
        aggregate inside{1, text};
        co_return co_await take(inside);
    };
    sum += co_await other();
    co_return sum;
}

} // namespace

task<int> both(std::string text)
{
    int one = co_await wrong(text, true);
    int two = co_await right(text, false);
    co_return one + two;
}
