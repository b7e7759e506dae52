// SPDX-License-Identifier: BSL-1.0
#include <brood/codec/name.hpp>

#include "support/catch.hpp"

#include <bitset>
#include <chrono>
#include <complex>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

using namespace brood;

namespace acme
{

struct answer
{
    struct part
    {
    };
};

enum class color
{
    red
};

template <class First, class Second = int>
struct box
{
    struct inside
    {
    };
};

template <auto value>
struct fixed
{
};

namespace
{

struct hidden
{
};

} // namespace

struct old_name
{
};

} // namespace acme

struct global
{
};

template <>
inline constexpr std::string_view brood::name_of<acme::old_name> = "acme.answer.v2";

// These are the same from every compiler: each of them compiles this file.

TEST_CASE("numbers are named by kind and width", "[name]")
{
    CHECK(message_name<bool>() == "bool");
    CHECK(message_name<char>() == "char");
    CHECK(message_name<signed char>() == "i8");
    CHECK(message_name<unsigned char>() == "u8");
    CHECK(message_name<std::int16_t>() == "i16");
    CHECK(message_name<unsigned short>() == "u16");
    CHECK(message_name<int>() == "i32");
    CHECK(message_name<std::uint32_t>() == "u32");
    CHECK(message_name<long>() == "i64");
    CHECK(message_name<long long>() == "i64");
    CHECK(message_name<std::size_t>() == "u64");
    CHECK(message_name<unsigned long long>() == "u64");
    CHECK(message_name<float>() == "f32");
    CHECK(message_name<double>() == "f64");
    CHECK(message_name<char16_t>() == "char16_t");
    CHECK(message_name<wchar_t>() == "wchar_t");
}

TEST_CASE("classes and enums are named with their namespaces", "[name]")
{
    CHECK(message_name<global>() == "global");
    CHECK(message_name<acme::answer>() == "acme::answer");
    CHECK(message_name<acme::answer::part>() == "acme::answer::part");
    CHECK(message_name<acme::color>() == "acme::color");
    CHECK(message_name<acme::hidden>() == "acme::(anonymous)::hidden");
    CHECK(message_name<std::byte>() == "std::byte");
    CHECK(message_name<std::monostate>() == "std::monostate");
}

TEST_CASE("a class local to a function is named without it", "[name]")
{
    struct local
    {
        struct part
        {
        };
    };
    CHECK(message_name<local>() == "local");
    CHECK(message_name<local::part>() == "local::part");
    CHECK(message_name<std::vector<local>>() == "std::vector<local>");
}

TEST_CASE("templates are named with their arguments, however deep", "[name]")
{
    CHECK(message_name<std::string>() == "std::string");
    CHECK(message_name<std::wstring>() == "std::basic_string<wchar_t>");
    CHECK(message_name<std::vector<long>>() == "std::vector<i64>");
    CHECK(message_name<std::list<std::string>>() == "std::list<std::string>");
    CHECK(message_name<std::map<unsigned long, std::vector<unsigned char>>>() ==
          "std::map<u64, std::vector<u8>>");
    CHECK(message_name<std::map<int, int, std::greater<int>>>() ==
          "std::map<i32, i32, std::greater<i32>>");
    CHECK(message_name<std::unordered_map<std::string, int>>() ==
          "std::unordered_map<std::string, i32>");
    CHECK(message_name<std::set<acme::hidden>>() == "std::set<acme::(anonymous)::hidden>");
    CHECK(message_name<std::priority_queue<int>>() == "std::priority_queue<i32, std::vector<i32>>");
    CHECK(message_name<std::optional<std::unique_ptr<int>>>() ==
          "std::optional<std::unique_ptr<i32>>");
    CHECK(message_name<std::variant<int, std::monostate>>() == "std::variant<i32, std::monostate>");
    CHECK(message_name<std::tuple<>>() == "std::tuple<>");
    CHECK(message_name<std::pair<const int, float>>() == "std::pair<const i32, f32>");
    CHECK(message_name<std::array<std::array<short, 3>, 12>>() ==
          "std::array<std::array<i16, 3>, 12>");
    CHECK(message_name<std::bitset<100>>() == "std::bitset<100>");
    CHECK(message_name<std::complex<double>>() == "std::complex<f64>");
    CHECK(message_name<std::chrono::milliseconds>() ==
          "std::chrono::duration<i64, std::ratio<1, 1000>>");
    CHECK(message_name<std::chrono::system_clock::time_point>() ==
          "std::chrono::time_point<std::chrono::system_clock, std::chrono::duration<i64, "
          "std::ratio<1, 1000000000>>>");
    CHECK(message_name<int[3]>() == "i32[3]");
}

TEST_CASE("templates of one's own are named with all their arguments", "[name]")
{
    CHECK(message_name<acme::box<long>>() == "acme::box<i64, i32>");
    CHECK(message_name<acme::box<acme::box<char>, std::string>>() ==
          "acme::box<acme::box<char, i32>, std::string>");
    CHECK(message_name<acme::box<unsigned long>::inside>() == "acme::box<u64>::inside");
    CHECK(message_name<acme::fixed<5>>() == "acme::fixed<5>");
    CHECK(message_name<acme::fixed<7ul>>() == "acme::fixed<7>");
    CHECK(message_name<acme::fixed<true>>() == "acme::fixed<true>");
}

TEST_CASE("a name can be given, and counts wherever the type stands", "[name]")
{
    CHECK(message_name<acme::old_name>() == "acme.answer.v2");
    CHECK(message_name<std::vector<acme::old_name>>() == "std::vector<acme.answer.v2>");
}

TEST_CASE("the fingerprint is the FNV-1a hash of the name, known when compiling", "[name]")
{
    static_assert(message_fingerprint<int>() == 0x2af2b3192b419145);
    CHECK(message_fingerprint<long>() == message_fingerprint<long long>());
    CHECK(message_fingerprint<int>() != message_fingerprint<unsigned>());
    CHECK(message_fingerprint<acme::answer>() != message_fingerprint<global>());
}
