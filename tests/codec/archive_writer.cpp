// SPDX-License-Identifier: BSL-1.0
#include <brood/codec/archive_writer.hpp>

#include "support/catch.hpp"

#include <cereal/types/array.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/optional.hpp>

#include <cstdint>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

using namespace brood;

namespace
{

std::string hex(std::span<const std::byte> bytes)
{
    std::string text;
    for (auto byte : bytes)
    {
        text += text.empty() ? "" : " ";
        text += "0123456789abcdef"[static_cast<int>(byte) / 16];
        text += "0123456789abcdef"[static_cast<int>(byte) % 16];
    }
    return text;
}

template <class... Values>
std::string written(const Values&... values)
{
    buffer bytes;
    archive_writer{bytes}(values...);
    return hex(bytes.data());
}

enum class level : std::uint16_t
{
    low = 1,
    high = 0x1234
};

struct point
{
    std::int16_t x = 1;
    std::int16_t y = -1;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(CEREAL_NVP(x), CEREAL_NVP(y));
    }
};

struct chain
{
    std::vector<chain> rest;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(rest);
    }
};

chain chain_of(std::size_t objects)
{
    chain made;
    for (std::size_t count = 1; count < objects; ++count)
    {
        chain outer;
        outer.rest.push_back(std::move(made));
        made = std::move(outer);
    }
    return made;
}

} // namespace

TEST_CASE("numbers are little-endian in their full width", "[archive_writer]")
{
    CHECK(written(std::uint8_t{0xab}) == "ab");
    CHECK(written(std::int16_t{-2}) == "fe ff");
    CHECK(written(0x12345678) == "78 56 34 12");
    CHECK(written(std::uint64_t{1}) == "01 00 00 00 00 00 00 00");
    CHECK(written(1L) == "01 00 00 00 00 00 00 00");
    CHECK(written(std::size_t{1}) == "01 00 00 00 00 00 00 00");
    CHECK(written(1.0f) == "00 00 80 3f");
    CHECK(written(1.0) == "00 00 00 00 00 00 f0 3f");
    CHECK(written('a') == "61");
    CHECK(written(L'a') == "61 00 00 00");
    CHECK(written(u'a') == "61 00");
    CHECK(written(true, false) == "01 00");
    CHECK(written(level::high) == "34 12");
}

TEST_CASE("several numbers are the same bytes as one after the other", "[archive_writer]")
{
    CHECK(written(std::uint8_t{1}, std::uint32_t{2}, true) == "01 02 00 00 00 01");
}

TEST_CASE("a size takes one byte up to 254 and nine above", "[archive_writer]")
{
    CHECK(written(std::string()) == "00");
    CHECK(written(std::string("ab")) == "02 61 62");
    CHECK(written(std::string(254, 'x')).substr(0, 8) == "fe 78 78");
    CHECK(written(std::string(255, 'x')).substr(0, 32) == "ff ff 00 00 00 00 00 00 00 78 78");
    CHECK(written(std::string(256, 'x')).substr(0, 29) == "ff 00 01 00 00 00 00 00 00 78");
}

TEST_CASE("containers are their size and their elements", "[archive_writer]")
{
    CHECK(written(std::vector<std::uint16_t>{1, 2}) == "02 01 00 02 00");
    CHECK(written(std::vector<bool>{true, false}) == "02 01 00");
    CHECK(written(std::vector<std::byte>{std::byte{7}}) == "01 07");
    CHECK(written(std::list<std::uint8_t>{3, 4}) == "02 03 04");
    CHECK(written(std::array<std::uint16_t, 2>{1, 2}) == "01 00 02 00");
    CHECK(written(std::array<std::byte, 2>{std::byte{1}, std::byte{2}}) == "01 02");
    CHECK(written(std::array<int, 0>{}).empty());
    CHECK(written(std::u16string(u"ab")) == "02 61 00 62 00");
    CHECK(written(std::optional<std::uint8_t>(5)) == "00 05");
    CHECK(written(std::optional<std::uint8_t>()) == "01");
}

TEST_CASE("classes are their members, and an empty class is nothing", "[archive_writer]")
{
    CHECK(written(point{}) == "01 00 ff ff");
    CHECK(written(std::vector<point>(2)) == "02 01 00 ff ff 01 00 ff ff");
    CHECK(written(std::monostate{}).empty());
}

TEST_CASE("arrays of C are their elements", "[archive_writer]")
{
    const std::uint16_t numbers[2][2] = {{1, 2}, {3, 4}};
    const point points[2];

    CHECK(written(numbers) == "01 00 02 00 03 00 04 00");
    CHECK(written(points) == "01 00 ff ff 01 00 ff ff");
}

TEST_CASE("the operators of older archives write too", "[archive_writer]")
{
    buffer bytes;
    {
        archive_writer writer(bytes);
        writer << std::uint8_t{1} & std::uint8_t{2};
        writer << std::string("x");
    }
    CHECK(hex(bytes.data()) == "01 02 01 78");
}

TEST_CASE("a writer appends to what is in the buffer, and the buffer grows", "[archive_writer]")
{
    buffer bytes;
    bytes.append("before", 6);
    std::vector<std::string> texts(1000, std::string(100, 'x'));
    {
        archive_writer writer(bytes);
        writer(texts, std::uint8_t{0xee});
    }
    REQUIRE(bytes.size() == 6 + 9 + 1000 * 101 + 1);
    CHECK(hex(bytes.data().first(7)) == "62 65 66 6f 72 65 ff");
    CHECK(bytes.data().back() == std::byte{0xee});
}

TEST_CASE("what is deferred is written when it is asked for, also from within", "[archive_writer]")
{
    buffer bytes;
    {
        archive_writer writer(bytes);
        std::uint8_t first = 1, second = 2;
        writer(cereal::defer(second), first);
        writer.serializeDeferments();
        writer.serializeDeferments(); // it is not written again
    }
    CHECK(hex(bytes.data()) == "01 02");
}

TEST_CASE("objects deeper than the limit are too large", "[archive_writer]")
{
    buffer bytes;
    CHECK_NOTHROW(archive_writer{bytes}(chain_of(64)));
    CHECK_THROWS_WITH(archive_writer{bytes}(chain_of(65)),
                      Catch::Matchers::ContainsSubstring("too deep"));
    try
    {
        archive_writer{bytes, {.depth = 3}}(chain_of(4));
        FAIL("it was written");
    }
    catch (const error& wrong)
    {
        CHECK(wrong.code() == errc::too_large);
    }
    CHECK_NOTHROW(archive_writer{bytes, {.depth = 200}}(chain_of(200)));
}

TEST_CASE("more elements without bytes than a reader accepts are too large", "[archive_writer]")
{
    CHECK(written(std::vector<std::monostate>(65536)).size() == 3 * 9 - 1);
    buffer bytes;
    CHECK_THROWS_AS(archive_writer{bytes}(std::vector<std::monostate>(65537)), error);
    CHECK_THROWS_AS(archive_writer{bytes}(std::list<std::monostate>(65537)), error);
    CHECK_NOTHROW(archive_writer{bytes}(std::list<bool>(100000)));
}

TEST_CASE("elements that take more memory than a reader gives are too large", "[archive_writer]")
{
    std::vector<std::string> empty(1000);
    archive_limits limits;
    limits.memory = 1000 * sizeof(std::string);
    buffer bytes;
    CHECK_NOTHROW((archive_writer{bytes, limits}(empty)));
    empty.emplace_back();
    CHECK_THROWS_AS((archive_writer{bytes, limits}(empty)), error);
    std::vector<std::list<int>> several(2, std::list<int>(10));
    limits.memory = 2 * sizeof(several[0]) + 20 * sizeof(int);
    CHECK_NOTHROW((archive_writer{bytes, limits}(several)));
    limits.memory -= 1;
    CHECK_THROWS_AS((archive_writer{bytes, limits}(several)), error);
}

TEST_CASE("numbers cross to machines of the other byte order", "[archive_writer]")
{
    const std::uint32_t numbers[] = {0x01020304, 0x05060708};
    std::byte bytes[8];

    detail::copy_little<4, std::endian::big>(bytes, numbers, sizeof numbers);
    CHECK(hex(bytes) == "01 02 03 04 05 06 07 08"); // of a little-endian 04 03 02 01
    std::uint32_t back[2];
    detail::copy_little<4, std::endian::big>(back, bytes, sizeof bytes);
    CHECK(back[0] == numbers[0]);
    CHECK(back[1] == numbers[1]);
}
