// SPDX-License-Identifier: BSL-1.0
#include <brood/codec/archive_reader.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <brood/codec/archive.hpp>

#include <cereal/types/array.hpp>
#include <cereal/types/bitset.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/forward_list.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/valarray.hpp>
#include <cereal/types/variant.hpp>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#if __has_include(<boost/variant.hpp>)
#include <boost/variant.hpp>
#include <cereal/types/boost_variant.hpp>
#endif

using namespace brood;
using Catch::Matchers::ContainsSubstring;

namespace
{

std::vector<std::byte> bytes_of(std::initializer_list<int> values)
{
    std::vector<std::byte> bytes;
    for (int value : values)
        bytes.push_back(static_cast<std::byte>(value));
    return bytes;
}

/// A size in its long form.
std::vector<std::byte> size_of(std::uint64_t size)
{
    auto bytes = bytes_of({255});
    for (int shift = 0; shift < 64; shift += 8)
        bytes.push_back(static_cast<std::byte>(size >> shift));
    return bytes;
}

/// Why bytes are no such value; "" when they are one.
template <class Value>
std::string refusal(const std::vector<std::byte>& bytes, archive_limits limits = {})
{
    try
    {
        (void)decode<Value>(bytes, limits);
        return "";
    }
    catch (const error& wrong)
    {
        CHECK(wrong.code() == errc::malformed);
        return wrong.text();
    }
}

/// A value that is nested as deep as its bytes say: a pointer to the next, or none.
struct chain
{
    std::unique_ptr<chain> next;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(next);
    }
};

struct tree
{
    std::vector<tree> branches;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(branches);
    }
};

struct list_tree
{
    std::list<list_tree> branches;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(branches);
    }
};

/// Large in memory, a byte in a message.
struct large
{
    std::array<char, 1023> scratch{};
    bool used = false;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(used);
    }
};

struct one_number
{
    std::uint64_t number = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number);
    }
};

struct one_text
{
    std::string text;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(text);
    }
};

struct flags
{
    bool both[2] = {};

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(both);
    }
};

struct everything
{
    bool flag = true;
    std::uint32_t number = 7;
    std::string text = "text";
    std::vector<double> numbers{1, 2};
    std::vector<std::string> texts{"a", "bc"};
    std::map<int, std::string> names{{1, "one"}};
    std::optional<int> maybe = 3;
    std::variant<int, std::string> either = "or";
    std::shared_ptr<one_text> shared = std::make_shared<one_text>();
    std::shared_ptr<one_text> again = shared;
    std::unique_ptr<int> owned = std::make_unique<int>(4);
    std::bitset<12> bits{0x5a5};
    std::array<bool, 3> switches{true, false, true};
    std::chrono::seconds time{5};
    tree branches{{tree{}, tree{{tree{}}}}};

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(flag, number, text, numbers, texts, names, maybe, either, shared, again, owned,
                bits, switches, time, branches);
    }
};

template <class Value>
std::vector<std::byte> encoded(const Value& value)
{
    buffer bytes;
    encode(bytes, value);
    auto data = bytes.data();
    return {data.begin(), data.end()};
}

} // namespace

TEST_CASE("a reader gives what a writer wrote, and knows what is left", "[archive_reader]")
{
    buffer bytes;
    archive_writer{bytes}(1, std::string("two"), 3.0, true);
    archive_reader reader(bytes.data());
    int one = 0;
    std::string two;
    double three = 0;
    bool four = false;

    reader(one, two);
    CHECK(one == 1);
    CHECK(two == "two");
    CHECK(reader.remaining() == 9);
    CHECK_THROWS_WITH(reader.end(), ContainsSubstring("9 bytes are left over"));
    reader >> three& four;
    CHECK(three == 3.0);
    CHECK(four);
    CHECK_NOTHROW(reader.end());
}

TEMPLATE_TEST_CASE("a size beyond the bytes that are there takes no memory", "[archive_reader]",
                   std::string, std::u16string, std::vector<char>, std::vector<std::uint64_t>,
                   std::vector<bool>, std::vector<std::string>, std::vector<std::monostate>,
                   std::deque<int>, std::list<int>, std::forward_list<int>, std::valarray<double>,
                   std::valarray<bool>, std::vector<large>, (std::map<int, int>), std::set<int>,
                   (std::unordered_map<int, int>), tree, list_tree)
{
    auto all = std::numeric_limits<std::uint64_t>::max();
    for (std::uint64_t size : {all, all - 8, all / 8 + 1, std::uint64_t{1} << 60,
                               std::uint64_t{1} << 32, std::uint64_t{1} << 24})
    {
        auto bytes = size_of(size);
        bytes.resize(bytes.size() + 3);
        std::string why;
        auto taken = allocated_by([&] { why = refusal<TestType>(bytes); });

        CHECK(why ==
              "a size of " + std::to_string(size) + " is more than the 3 bytes that are left");
        CHECK(taken.bytes < 4096);
    }
}

TEST_CASE("a size has one spelling", "[archive_reader]")
{
    CHECK(decode<std::string>(bytes_of({0})).empty());
    CHECK(refusal<std::string>(size_of(0)) == "a size of 0 is written in nine bytes");
    auto bytes = size_of(254);
    bytes.resize(bytes.size() + 254);
    CHECK(refusal<std::string>(bytes) == "a size of 254 is written in nine bytes");
}

TEST_CASE("sizes inside sizes take no more memory than a reader may give", "[archive_reader]")
{
    // Each object claims that all the bytes that follow are objects inside it.
    std::vector<std::byte> bytes;
    for (int level = 0; level < 60; ++level)
    {
        auto size = size_of((60 - static_cast<std::uint64_t>(level)) * 9 - 9 + 1'000'000);
        bytes.insert(bytes.end(), size.begin(), size.end());
    }
    bytes.resize(bytes.size() + 1'000'000, std::byte{255});
    std::string why;

    auto vectors = allocated_by([&] { why = refusal<tree>(bytes); });
    CHECK(why == "1000432 elements take too much memory");
    CHECK(vectors.bytes < (std::size_t{256} << 20) + 100'000);
    auto lists = allocated_by([&] { why = refusal<list_tree>(bytes, {.memory = 1 << 20}); });
    CHECK_THAT(why, ContainsSubstring("elements take too much memory"));
    CHECK(lists.bytes < 100'000);
}

TEST_CASE("elements that are large only in memory stay within the limit", "[archive_reader]")
{
    auto bytes = size_of(100'000);
    bytes.resize(bytes.size() + 100'000);

    CHECK(refusal<std::vector<large>>(bytes) == "");
    std::string why;
    auto taken = allocated_by(
        [&] { why = refusal<std::vector<large>>(bytes, {.memory = 100'000 * 1024 - 1}); });
    CHECK(why == "100000 elements take too much memory");
    CHECK(taken.bytes < 4096);
}

TEST_CASE("elements without bytes are limited by their memory", "[archive_reader]")
{
    CHECK(decode<std::vector<std::monostate>>(size_of(65536)).size() == 65536);
    CHECK(refusal<std::vector<std::monostate>>(size_of(65537)) ==
          "a size of 65537 is more than the 0 bytes that are left");
}

TEST_CASE("a million objects inside each other are refused, not followed", "[archive_reader]")
{
    std::vector<std::byte> bytes(1'000'000, std::byte{1});
    bytes.push_back(std::byte{0});
    CHECK(refusal<chain>(bytes) == "objects stand too deep inside each other");

    std::vector<std::byte> wood(1'000'000, std::byte{1});
    CHECK(refusal<tree>(wood) == "objects stand too deep inside each other");
}

TEST_CASE("the deepest that is allowed is read", "[archive_reader]")
{
    std::vector<std::byte> bytes(63, std::byte{1});
    bytes.push_back(std::byte{0});
    CHECK(refusal<chain>(bytes) == "");

    bytes.insert(bytes.begin(), std::byte{1});
    CHECK(refusal<chain>(bytes) == "objects stand too deep inside each other");
    CHECK(refusal<chain>(bytes, {.depth = 65}) == "");
}

TEMPLATE_TEST_CASE("a bool is 0 or 1 wherever it stands", "[archive_reader]",
                   (std::pair<bool, bool>), (std::array<bool, 2>), flags)
{
    CHECK(refusal<TestType>(bytes_of({0, 1})) == "");
    CHECK(refusal<TestType>(bytes_of({7, 0})) == "a bool is 7, not 0 or 1");
    CHECK(refusal<TestType>(bytes_of({1, 255})) == "a bool is 255, not 0 or 1");
}

TEMPLATE_TEST_CASE("a bool in a container is 0 or 1", "[archive_reader]", std::vector<bool>,
                   std::deque<bool>, std::valarray<bool>)
{
    CHECK(refusal<TestType>(bytes_of({2, 0, 1})) == "");
    CHECK(refusal<TestType>(bytes_of({2, 0, 2})) == "a bool is 2, not 0 or 1");
}

TEST_CASE("flags of optionals and pointers are 0 or 1", "[archive_reader]")
{
    CHECK(refusal<std::optional<char>>(bytes_of({0, 'x'})) == "");
    CHECK(refusal<std::optional<char>>(bytes_of({9, 'x'})) == "a bool is 9, not 0 or 1");
    CHECK(refusal<std::unique_ptr<char>>(bytes_of({1, 'x'})) == "");
    CHECK(refusal<std::unique_ptr<char>>(bytes_of({9, 'x'})) == "a bool is 9, not 0 or 1");
}

TEST_CASE("the index of a variant is one of its types", "[archive_reader]")
{
    using either = std::variant<char, bool>;
    CHECK(decode<either>(bytes_of({1, 0, 0, 0, 1})) == either(true));
    CHECK_THAT(refusal<either>(bytes_of({2, 0, 0, 0, 1})), ContainsSubstring("index"));
    CHECK(refusal<either>(bytes_of({255, 255, 255, 255, 1})) != "");
#if __has_include(<boost/variant.hpp>)
    using other = boost::variant<char, bool>;
    CHECK(decode<other>(bytes_of({1, 0, 0, 0, 1})) == other(true));
    CHECK_THAT(refusal<other>(bytes_of({2, 0, 0, 0, 1})), ContainsSubstring("selector"));
    CHECK(refusal<other>(bytes_of({255, 255, 255, 255, 1})) == "the index of a variant is -1");
#endif
}

TEST_CASE("a shared object is not given out as another type", "[archive_reader]")
{
    using numbers = std::pair<std::shared_ptr<one_number>, std::shared_ptr<one_number>>;
    using mixed = std::pair<std::shared_ptr<one_number>, std::shared_ptr<one_text>>;
    auto object = std::make_shared<one_number>(one_number{0x41});
    auto bytes = encoded(numbers{object, object});

    auto back = decode<numbers>(bytes);
    CHECK(back.first->number == 0x41);
    CHECK(back.first == back.second);
    CHECK(refusal<mixed>(bytes) == "a pointer names no object of its type");
}

TEST_CASE("a shared object must have been there, with the next id", "[archive_reader]")
{
    using pointer = std::shared_ptr<char>;
    CHECK(*decode<pointer>(bytes_of({1, 0, 0, 128, 'x'})) == 'x');
    CHECK(decode<pointer>(bytes_of({0, 0, 0, 0})) == nullptr);
    CHECK(refusal<pointer>(bytes_of({1, 0, 0, 0})) == "a pointer names no object of its type");
    CHECK(refusal<pointer>(bytes_of({2, 0, 0, 128, 'x'})) ==
          "a shared object has an id out of turn");
    CHECK(refusal<pointer>(bytes_of({0, 0, 0, 128, 'x'})) ==
          "a shared object has an id out of turn");
}

TEST_CASE("nothing less than a whole value is one", "[archive_reader]")
{
    auto bytes = encoded(everything{});
    REQUIRE(refusal<everything>(bytes) == "");
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK(refusal<everything>({bytes.begin(), bytes.begin() + static_cast<long>(size)}) != "");
}

TEST_CASE("bytes too many are refused", "[archive_reader]")
{
    auto bytes = encoded(everything{});
    bytes.push_back(std::byte{0});
    CHECK(refusal<everything>(bytes) == "1 bytes are left over");
    CHECK(refusal<std::monostate>(bytes_of({1, 2})) == "2 bytes are left over");
}

TEST_CASE("no single changed byte does harm or takes memory", "[archive_reader]")
{
    const auto good = encoded(everything{});
    std::size_t accepted = 0, refused = 0;
    for (std::size_t place = 0; place < good.size(); ++place)
        for (int value = 0; value < 256; ++value)
        {
            auto bytes = good;
            bytes[place] = static_cast<std::byte>(value);
            std::string why;
            auto taken = allocated_by([&] { why = refusal<everything>(bytes); });
            ++(why.empty() ? accepted : refused);
            if (taken.bytes > 20'000)
                FAIL_CHECK("byte " << place << " as " << value << " takes " << taken.bytes);
        }
    CHECK(accepted > good.size()); // other letters and numbers
    CHECK(refused > good.size());
}

TEST_CASE("what is decoded into may throw whatever it likes", "[archive_reader]")
{
    // A bitset that is sent as text, as archives without binary data do, with a wrong letter.
    auto bytes = bytes_of({2, 3, '0', 'x', '1'});
    CHECK_THAT(refusal<std::bitset<3>>(bytes), ContainsSubstring("the value cannot be made"));
}
