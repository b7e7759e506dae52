// SPDX-License-Identifier: BSL-1.0
#include <brood/wire/frame_reader.hpp>

#include "support/catch.hpp"
#include "support/frames.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

using namespace brood::test;
using brood::frame_header;
using brood::frame_kind;
using brood::frame_reader;
using Catch::Matchers::ContainsSubstring;

namespace
{

void feed(frame_reader& reader, std::string_view bytes)
{
    while (!bytes.empty())
    {
        auto room = reader.room();
        auto count = std::min(room.size(), bytes.size());
        std::memcpy(room.data(), bytes.data(), count);
        reader.arrived(count);
        bytes.remove_prefix(count);
    }
}

std::string text_of(const frame_reader& reader, const brood::frame& found)
{
    auto bytes = reader.payload(found);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string frame_with(const std::string& payload)
{
    return frame_bytes({0, frame_kind::message, 0, 0, 7, 9}, payload);
}

/// What the reader says about bytes behind a hello, with limits of 100 bytes and 3 descriptors.
std::string refusal(const std::string& bytes, brood::errc expected)
{
    frame_reader reader(100, 3);
    feed(reader, bytes);
    try
    {
        reader.next();
    }
    catch (const brood::error& wrong)
    {
        CHECK(wrong.code() == expected);
        CHECK_THROWS_AS(reader.next(), brood::error); // and again
        return wrong.what();
    }
    return "nothing wrong";
}

std::string after_hello(const frame_header& header)
{
    return hello_bytes() + frame_bytes(header);
}

} // namespace

TEST_CASE("frames are found whatever pieces their bytes come in", "[frame_reader]")
{
    std::minstd_rand random(Catch::rngSeed());
    for (int round = 0; round < 200; ++round)
    {
        frame_reader reader(1 << 20, 0);
        std::string bytes = hello_bytes();
        std::vector<std::string> sent, found;
        for (int count = 0; count < 20; ++count)
        {
            sent.push_back(std::string(random() % 300, static_cast<char>('a' + count)));
            bytes += frame_with(sent.back());
        }
        for (std::string_view rest = bytes; !rest.empty();)
        {
            auto size = std::min<std::size_t>(rest.size(), round == 0 ? 1 : 1 + random() % 700);
            feed(reader, rest.substr(0, size));
            rest.remove_prefix(size);
            while (auto next = reader.next())
            {
                found.push_back(text_of(reader, *next));
                CHECK(next->header.fingerprint == 7);
                CHECK(next->header.correlation == 9);
                reader.release(reader.position());
            }
        }
        CHECK((found == sent));
        CHECK_FALSE(reader.in_frame());
        CHECK(reader.held() == 0);
    }
}

TEST_CASE("a frame that is not whole is told from an end between two", "[frame_reader]")
{
    frame_reader reader(100, 0);
    CHECK_FALSE(reader.in_frame());
    auto bytes = hello_bytes() + frame_with("payload");
    feed(reader, bytes.substr(0, bytes.size() - 1));
    CHECK_FALSE(reader.next());
    CHECK(reader.in_frame());

    feed(reader, bytes.substr(bytes.size() - 1));
    CHECK(reader.next());
    CHECK_FALSE(reader.in_frame());
}

TEST_CASE("a reader that was reset begins with a hello, whatever it held", "[frame_reader]")
{
    frame_reader reader(100, 0);
    for (std::string rest :
         {"", "the beginning of a frame", "no frame at all, and refused as such"})
    {
        feed(reader, hello_bytes() + frame_with("old") + rest);
        CHECK(reader.next());

        reader.reset();
        CHECK(reader.held() == 0);
        CHECK_FALSE(reader.in_frame());
        CHECK(reader.position() == 0);

        feed(reader, hello_bytes() + frame_with("new"));
        auto found = reader.next();
        REQUIRE(found);
        CHECK(text_of(reader, *found) == "new");
        reader.reset();
        feed(reader, frame_with("no hello"));
        CHECK_THROWS_AS(reader.next(), brood::error);
        reader.reset();
    }
}

TEST_CASE("payloads stay where they are until they are released", "[frame_reader]")
{
    frame_reader reader(1 << 20, 0);
    feed(reader, hello_bytes() + frame_with("one") + frame_with("two"));
    auto one = reader.next();
    auto two = reader.next();
    REQUIRE((one && two));
    feed(reader, frame_with(std::string(500'000, 'x')));
    auto three = reader.next();
    REQUIRE(three);

    CHECK(text_of(reader, *one) == "one");
    reader.release(two->position);
    CHECK(text_of(reader, *two) == "two");
    CHECK(text_of(reader, *three).size() == 500'000);
}

TEST_CASE("the first frame is a hello of our wire, or the reason is told", "[frame_reader]")
{
    CHECK_THAT(refusal("GET / HTTP/1.1\r\nHost: example\r\n\r\n", brood::errc::malformed),
               ContainsSubstring("not brood's hello"));
    CHECK_THAT(refusal(hello_bytes(1), brood::errc::malformed), ContainsSubstring("hello"));
    CHECK_THAT(refusal(hello_bytes(brood::wire_magic, 99), brood::errc::version_mismatch),
               ContainsSubstring("version 99 of the wire, this process speaks version 2"));
    CHECK_THAT(refusal(frame_with("no hello"), brood::errc::malformed), ContainsSubstring("hello"));
    auto stuffed =
        frame_bytes({0, frame_kind::hello, 0, 0, brood::wire_magic, brood::wire_version}, "x");
    CHECK_THAT(refusal(stuffed, brood::errc::malformed), ContainsSubstring("something else"));
}

TEST_CASE("what cannot be a frame is refused before anything of it is believed", "[frame_reader]")
{
    using enum frame_kind;
    CHECK_THAT(refusal(hello_bytes() + hello_bytes(), brood::errc::malformed),
               ContainsSubstring("unknown kind 1"));
    CHECK_THAT(refusal(after_hello({0, frame_kind{0}, 0, 0, 0, 0}), brood::errc::malformed),
               ContainsSubstring("unknown kind 0"));
    CHECK_THAT(refusal(after_hello({0, frame_kind{14}, 0, 0, 0, 0}), brood::errc::malformed),
               ContainsSubstring("unknown kind 14"));
    CHECK_THAT(refusal(after_hello({1, farewell, 0, 0, 0, 0}), brood::errc::too_large),
               ContainsSubstring("1 bytes"));
    CHECK_THAT(refusal(after_hello({0, frame_kind{200}, 0, 0, 0, 0}), brood::errc::malformed),
               ContainsSubstring("unknown kind 200"));
    CHECK_THAT(refusal(after_hello({0, message, 1, 0, 0, 0}), brood::errc::malformed),
               ContainsSubstring("reserved"));
    CHECK_THAT(refusal(after_hello({0xffffffff, message, 0, 0, 0, 0}), brood::errc::too_large),
               ContainsSubstring("4294967295 bytes, where at most 100 are allowed"));
    CHECK_THAT(refusal(after_hello({101, message, 0, 0, 0, 0}), brood::errc::too_large),
               ContainsSubstring("101 bytes"));
    CHECK_THAT(refusal(after_hello({1, cancel, 0, 0, 0, 0}), brood::errc::too_large),
               ContainsSubstring("at most 0"));
    CHECK_THAT(refusal(after_hello({2000, type_name, 0, 0, 0, 0}), brood::errc::too_large),
               ContainsSubstring("at most 1024"));
    CHECK_THAT(refusal(after_hello({0, message, 0, 4, 0, 0}), brood::errc::malformed),
               ContainsSubstring("4 descriptors, where at most 3"));
    CHECK_THAT(refusal(after_hello({0, taken, 0, 1, 0, 0}), brood::errc::malformed),
               ContainsSubstring("at most 0 are allowed"));
}

TEST_CASE("the longest message that is allowed passes", "[frame_reader]")
{
    frame_reader reader(100, 3);
    feed(reader, hello_bytes() + frame_with(std::string(100, 'x')));

    CHECK(reader.next());
}

TEST_CASE("memory grows with the bytes that come, not with what is announced", "[frame_reader]")
{
    frame_reader reader(std::size_t{1} << 31, 0);
    feed(reader, after_hello({1U << 31, frame_kind::message, 0, 0, 0, 0}));
    CHECK_FALSE(reader.next());

    CHECK(reader.held() < 100);
    CHECK(reader.room().size() <= 1 << 20);
}

TEST_CASE("a long frame leaves no room for what comes behind it", "[frame_reader]")
{
    frame_reader reader(1 << 30, 0);
    std::string payload(3'000'001, 'x');
    auto bytes = hello_bytes() + frame_with(payload);

    feed(reader, bytes.substr(0, bytes.size() - 1000));
    CHECK_FALSE(reader.next());
    CHECK(reader.room().size() == 1000);
    feed(reader, bytes.substr(bytes.size() - 1000));
    auto found = reader.next();

    REQUIRE(found);
    CHECK(text_of(reader, *found) == payload);
    CHECK(reader.held() == hello_bytes().size() + payload.size() + frame_header::size);
    CHECK(reader.room().size() >= 64 << 10);
}

TEST_CASE("room is never empty, also while a long frame waits to be looked at", "[frame_reader]")
{
    frame_reader reader(1 << 30, 0);
    feed(reader, hello_bytes());
    CHECK_FALSE(reader.next());

    feed(reader, frame_with(std::string(1 << 20, 'x')));

    CHECK(reader.room().size() >= 64 << 10);
    feed(reader, frame_with("y"));
    CHECK(reader.next());
    CHECK(reader.next());
}
