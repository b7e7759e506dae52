// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/codec/detail/raw_name.hpp>

#include <cstddef>
#include <string_view>
#include <utility>

// Names of types in one spelling, whatever compiler and standard library wrote them.

namespace brood::detail
{

/// Takes the pieces of a name: writes them, or only counts when there is no place to write to.
struct name_sink
{
    char* at = nullptr;
    std::size_t size = 0;

    constexpr void add(std::string_view piece)
    {
        for (char letter : piece)
        {
            if (at)
                at[size] = letter;
            ++size;
        }
    }

    constexpr void add(std::size_t number)
    {
        if (number >= 10)
            add(number / 10);
        char digit = static_cast<char>('0' + number % 10);
        add(std::string_view(&digit, 1));
    }
};

/// How g++ and clang write the numbers, the longer ones first.
inline constexpr std::pair<std::string_view, std::string_view> number_names[] = {
    {"long long unsigned int", "u64"},
    {"unsigned long long", "u64"},
    {"long long int", "i64"},
    {"long long", "i64"},
    {"long unsigned int", sizeof(long) == 8 ? "u64" : "u32"},
    {"unsigned long", sizeof(long) == 8 ? "u64" : "u32"},
    {"long int", sizeof(long) == 8 ? "i64" : "i32"},
    {"long double", "long double"},
    {"long", sizeof(long) == 8 ? "i64" : "i32"},
    {"short unsigned int", "u16"},
    {"unsigned short", "u16"},
    {"short int", "i16"},
    {"short", "i16"},
    {"unsigned int", "u32"},
    {"unsigned char", "u8"},
    {"signed char", "i8"},
    {"int", "i32"},
    {"double", "f64"},
    {"float", "f32"},
};

constexpr bool is_letter(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_';
}

/// Removes this from the front, if it is there and ends where a word does.
constexpr bool skip(std::string_view& text, std::string_view front)
{
    if (!text.starts_with(front))
        return false;
    if (is_letter(front.back()) && text.size() > front.size() && is_letter(text[front.size()]))
        return false;
    text.remove_prefix(front.size());
    return true;
}

inline constexpr std::string_view gcc_anonymous = "{anonymous}";
inline constexpr std::string_view clang_anonymous = "(anonymous namespace)";

/// g++ names the function in front of a local class, clang does not: after this, neither does.
constexpr std::string_view without_function(std::string_view name)
{
    std::size_t start = 0, depth = 0;
    for (std::size_t place = 0; place < name.size(); ++place)
    {
        auto rest = name.substr(place);
        if (rest.starts_with(clang_anonymous))
            place += clang_anonymous.size() - 1;
        else if (rest[0] == '<')
            ++depth;
        else if (rest[0] == '>')
            --depth;
        else if (depth == 0 && rest.starts_with(")::"))
            start = place + 3;
    }
    return name.substr(start);
}

/// Adds the word that stands in front: a number by its kind and width, anything else as it is.
constexpr void add_word(name_sink& to, std::string_view& text)
{
    for (auto& [written, name] : number_names)
        if (skip(text, written))
            return to.add(name);
    for (std::string_view library : {"std", "chrono"})
        if (skip(text, library))
        {
            to.add(library);
            if (skip(text, "::"))
            {
                to.add("::");
                text = without_inline_std(text);
            }
            return;
        }
    std::size_t length = 0;
    bool literal = text[0] >= '0' && text[0] <= '9'; // clang writes its type behind it: 5UL
    while (length < text.size() && is_letter(text[length]) &&
           !(literal && (text[length] == 'U' || text[length] == 'L')))
        ++length;
    to.add(text.substr(0, length));
    text.remove_prefix(length);
    while (literal && !text.empty() && (text[0] == 'U' || text[0] == 'L'))
        text.remove_prefix(1);
}

/// Adds a name that a compiler wrote, in our spelling.
constexpr void add_plain(name_sink& to, std::string_view written)
{
    auto rest = without_function(written);
    while (!rest.empty())
    {
        if (is_letter(rest[0]))
        {
            add_word(to, rest);
            if (rest.size() > 1 && rest[0] == ' ' && is_letter(rest[1]))
                to.add(" ");
        }
        else if (skip(rest, gcc_anonymous) || skip(rest, clang_anonymous))
        {
            to.add("(anonymous)");
        }
        else
        {
            if (rest[0] != ' ')
                to.add(rest[0] == ',' ? ", " : rest.substr(0, 1));
            rest.remove_prefix(1);
        }
    }
}

/// The name of a template without its arguments.
constexpr std::string_view without_arguments(std::string_view name)
{
    std::size_t place = name.size(), depth = 0;
    while (place-- > 0)
    {
        if (name[place] == '>')
            ++depth;
        else if (name[place] == '<' && --depth == 0)
            return name.substr(0, place);
    }
    return name;
}

} // namespace brood::detail
