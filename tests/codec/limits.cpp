// SPDX-License-Identifier: BSL-1.0
#include <brood/codec/limits.hpp>

#include "support/catch.hpp"

#include <brood/codec/archive.hpp>

#include <cstdint>
#include <string>

using namespace brood;

enum class color : std::uint8_t
{
    red = 1,
    green,
    blue
};

enum class flags : std::uint8_t
{
    none = 0,
    read = 1,
    write = 2
};

enum class answer : bool
{
    no,
    yes
};

enum plain // whose type the compiler chooses
{
    only = 3
};

enum class signed_level : signed char
{
    low = -2,
    high = 2
};

template <>
inline constexpr enum_bounds<color> brood::enum_range<color>{color::red, color::blue};

template <>
inline constexpr brood::enum_bounds brood::enum_range<signed_level>{signed_level::low,
                                                                    signed_level::high};

namespace
{

template <class Value>
Value decode_byte(int byte)
{
    auto bytes = static_cast<std::byte>(byte);
    return decode<Value>({&bytes, 1});
}

} // namespace

TEST_CASE("an enum with a range takes the values in it and no others", "[limits]")
{
    CHECK(decode_byte<color>(1) == color::red);
    CHECK(decode_byte<color>(3) == color::blue);
    CHECK_THROWS_WITH(decode_byte<color>(0), "an enum is 0, not 1 to 3: malformed data");
    CHECK_THROWS_WITH(decode_byte<color>(4), "an enum is 4, not 1 to 3: malformed data");

    CHECK(decode_byte<signed_level>(0xfe) == signed_level::low);
    CHECK_THROWS_WITH(decode_byte<signed_level>(0xfd),
                      "an enum is -3, not -2 to 2: malformed data");
}

TEST_CASE("an enum without a range takes every value, as flags need it", "[limits]")
{
    CHECK(decode_byte<flags>(3) == flags(3));
    CHECK(decode_byte<flags>(255) == flags(255));
    CHECK(enum_range<flags>.first == 0);
    CHECK(enum_range<flags>.last == 255);
}

TEST_CASE("an enum of bools is 0 or 1", "[limits]")
{
    CHECK(decode_byte<answer>(1) == answer::yes);
    CHECK_THROWS_WITH(decode_byte<answer>(2), "a bool is 2, not 0 or 1: malformed data");
}

TEST_CASE("an enum of any kind comes back", "[limits]")
{
    buffer bytes;
    encode(bytes, only);
    CHECK(decode<plain>(bytes.data()) == only);
}

TEST_CASE("an enum with a range is checked wherever it stands", "[limits]")
{
    buffer bytes;
    encode(bytes, std::vector<color>{color::red, color::blue});

    CHECK(decode<std::vector<color>>(bytes.data()).back() == color::blue);
    bytes.data().back() = std::byte{4};
    CHECK_THROWS_AS(decode<std::vector<color>>(bytes.data()), error);
}
