// SPDX-License-Identifier: BSL-1.0
#include <brood/base/buffer.hpp>

#include "support/catch.hpp"

#include <random>
#include <string>

using namespace brood;

namespace
{

std::string text_of(const buffer& bytes)
{
    auto data = bytes.data();
    return {reinterpret_cast<const char*>(data.data()), data.size()};
}

void append(buffer& bytes, const std::string& text)
{
    bytes.append(text.data(), text.size());
}

} // namespace

TEST_CASE("what is appended comes out in order", "[buffer]")
{
    buffer bytes;

    append(bytes, "one ");
    append(bytes, "");
    append(bytes, "two");

    CHECK(text_of(bytes) == "one two");
    CHECK(bytes.size() == 7);
}

TEST_CASE("consume() takes from the front and truncate() from the end", "[buffer]")
{
    buffer bytes;
    append(bytes, "one two three");

    bytes.consume(4);
    bytes.truncate(3);

    CHECK(text_of(bytes) == "two");
}

TEST_CASE("prepared room counts only once it is committed", "[buffer]")
{
    buffer bytes;

    auto room = bytes.prepare(100);
    REQUIRE(room.size() >= 100);
    std::memset(room.data(), 'x', 100);
    CHECK(bytes.empty());
    bytes.commit(3);

    CHECK(text_of(bytes) == "xxx");
}

TEST_CASE("a steady flow stays in the same memory", "[buffer]")
{
    buffer bytes;
    append(bytes, std::string(3000, 'a'));
    auto first = bytes.data().data();
    bytes.consume(3000);

    for (int turn = 0; turn < 1000; ++turn)
    {
        append(bytes, std::string(3000, 'b'));
        CHECK(bytes.data().data() == first);
        bytes.consume(3000);
    }
}

TEST_CASE("what a burst took is given back when the buffer is empty", "[buffer]")
{
    buffer bytes;

    bytes.prepare(3 * buffer::kept);
    bytes.commit(1);
    bytes.consume(1);

    CHECK(bytes.prepare(1).size() < buffer::kept);
}

TEST_CASE("a steady flow of large pieces stays in the same memory, until it is over", "[buffer]")
{
    buffer bytes;
    std::string large(2 * buffer::kept, 'a');
    append(bytes, large);
    bytes.consume(large.size());
    append(bytes, large);
    auto second = bytes.data().data();
    bytes.consume(large.size());

    for (int turn = 0; turn < 10; ++turn)
    {
        append(bytes, large);
        CHECK(bytes.data().data() == second);
        bytes.consume(large.size());
    }

    append(bytes, "small");
    bytes.consume(5);
    CHECK(bytes.prepare(1).size() < buffer::kept);
}

TEST_CASE("a buffer holds what a string holds after any sequence of operations", "[buffer]")
{
    std::mt19937 random(Catch::rngSeed());
    buffer bytes;
    std::string model;

    for (int turn = 0; turn < 4000; ++turn)
    {
        auto count = random() % (turn % 100 == 0 ? 20000U : 300U);
        switch (random() % 4)
        {
        case 0:
        case 1:
            append(bytes, std::string(count, static_cast<char>('a' + turn % 26)));
            model.append(count, static_cast<char>('a' + turn % 26));
            break;
        case 2:
            count = std::min<std::uint_fast32_t>(count, static_cast<unsigned>(model.size()));
            bytes.consume(count);
            model.erase(0, count);
            break;
        default:
            count = static_cast<unsigned>(model.size()) -
                    std::min<std::uint_fast32_t>(count / 8, static_cast<unsigned>(model.size()));
            bytes.truncate(count);
            model.resize(count);
        }
        REQUIRE(text_of(bytes) == model);
    }
}
