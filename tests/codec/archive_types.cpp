// SPDX-License-Identifier: BSL-1.0
#include <brood/codec/archive.hpp>
#include <brood/codec/message.hpp>

#include "support/catch.hpp"

#include <cereal/types/array.hpp>
#include <cereal/types/atomic.hpp>
#include <cereal/types/base_class.hpp>
#include <cereal/types/bitset.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/common.hpp>
#include <cereal/types/complex.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/forward_list.hpp>
#include <cereal/types/functional.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/polymorphic.hpp>
#include <cereal/types/queue.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/stack.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/unordered_set.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/valarray.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>

#if __has_include(<boost/variant.hpp>)
#include <boost/variant.hpp>
#include <cereal/types/boost_variant.hpp>
#endif

#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

using namespace brood;

namespace
{

template <class Value>
Value round_trip(const Value& value)
{
    static_assert(message<Value> && check_message<Value>());
    buffer bytes;
    encode(bytes, value);
    return decode<Value>(bytes.data());
}

template <class Value>
void comes_back(const Value& value)
{
    CHECK(round_trip(value) == value);
    CHECK(round_trip(Value{}) == Value{});
}

/// The elements in the order in which they come out.
template <class Queue>
std::vector<typename Queue::value_type> drained(Queue queue)
{
    std::vector<typename Queue::value_type> elements;
    for (; !queue.empty(); queue.pop())
    {
        if constexpr (requires { queue.top(); })
            elements.push_back(queue.top());
        else
            elements.push_back(queue.front());
    }
    return elements;
}

const std::string text = "a text that is longer than a string keeps inside";

struct counter
{
    std::atomic<int> count = 0;

    counter() = default;

    counter(counter&& other) noexcept : count(other.count.load()) {}

    counter& operator=(counter&& other) noexcept
    {
        count = other.count.load();
        return *this;
    }

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(count);
    }
};

struct matrix
{
    int cells[2][3] = {};
    std::string names[2];

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(cells, names);
    }

    bool operator==(const matrix&) const = default;
};

} // namespace

TEMPLATE_TEST_CASE("numbers of every kind come back at their limits", "[archive_types]", char,
                   signed char, unsigned char, short, unsigned short, int, unsigned, long,
                   unsigned long, long long, unsigned long long, wchar_t, char8_t, char16_t,
                   char32_t, float, double)
{
    using limits = std::numeric_limits<TestType>;
    for (auto value : {limits::min(), limits::max(), limits::lowest(), TestType(1)})
    {
        comes_back(value);
        comes_back(std::vector<TestType>(300, value));
        comes_back(std::array<TestType, 3>{value, 0, value});
    }
}

TEST_CASE("numbers that are not numbers come back too", "[archive_types]")
{
    CHECK(std::isnan(round_trip(std::nan("7"))));
    CHECK(round_trip(-std::numeric_limits<double>::infinity()) < 0);
    CHECK(std::signbit(round_trip(-0.0)));
}

TEST_CASE("bytes and bools come back", "[archive_types]")
{
    comes_back(true);
    comes_back(std::byte{0xff});
    comes_back(std::vector<std::byte>(70'000, std::byte{5}));
    comes_back(std::array<std::byte, 4>{std::byte{1}, std::byte{2}});
    comes_back(std::vector<bool>{true, false, true});
    comes_back(std::array<bool, 2>{true, false});
}

TEST_CASE("strings come back", "[archive_types]")
{
    comes_back(text);
    comes_back(std::string(100'000, 'x'));
    comes_back(std::string("with\0zero", 9));
    comes_back(std::wstring(L"wide"));
    comes_back(std::u8string(u8"eight"));
    comes_back(std::u16string(u"sixteen"));
    comes_back(std::u32string(U"thirty-two"));
}

TEST_CASE("sequences come back", "[archive_types]")
{
    comes_back(std::vector<std::string>{"one", "", text});
    comes_back(std::vector<std::vector<int>>{{1, 2}, {}, {3}});
    comes_back(std::array<std::string, 2>{"one", text});
    comes_back(std::array<std::array<int, 2>, 2>{{{1, 2}, {3, 4}}});
    comes_back(std::array<int, 0>{});
    comes_back(std::deque<std::string>{"one", "two"});
    comes_back(std::list<int>{1, 2, 3});
    comes_back(std::forward_list<std::string>{"one", "two"});
    comes_back(matrix{{{1, 2, 3}, {4, 5, 6}}, {"a", text}});
}

TEST_CASE("sets and maps come back", "[archive_types]")
{
    comes_back(std::set<std::string>{"b", "a"});
    comes_back(std::multiset<int>{1, 1, 2});
    comes_back(std::multimap<int, std::string>{{1, "uno"}, {1, "one"}, {0, "zero"}});
    comes_back(std::map<std::string, int>{{"one", 1}, {"two", 2}});
    comes_back(std::map<int, std::string, std::greater<>>{{1, "one"}, {2, "two"}});
    comes_back(std::multimap<int, std::string>{{1, "one"}, {1, "uno"}});
    comes_back(std::unordered_set<std::string>{"b", "a"});
    comes_back(std::unordered_multiset<int>{1, 1, 2});
    comes_back(std::unordered_map<std::string, std::vector<int>>{{"one", {1}}, {"two", {2, 2}}});
    comes_back(std::unordered_multimap<int, int>{{1, 2}, {1, 3}});
}

TEST_CASE("adaptors of containers come back", "[archive_types]")
{
    std::queue<std::string> queue({"first", "second"});
    std::stack<int> stack({1, 2, 3});
    std::priority_queue<int> largest(std::less<int>(), {3, 1, 2});
    std::priority_queue<int, std::vector<int>, std::greater<>> smallest({}, {3, 1, 2});

    CHECK(drained(round_trip(queue)) == std::vector<std::string>{"first", "second"});
    CHECK(drained(round_trip(stack)) == std::vector{3, 2, 1});
    CHECK(drained(round_trip(largest)) == std::vector{3, 2, 1});
    CHECK(drained(round_trip(smallest)) == std::vector{1, 2, 3});
}

TEST_CASE("valarrays come back", "[archive_types]")
{
    std::valarray<double> numbers{1.5, 2.5};
    std::valarray<std::string> texts{"one", text};

    auto same = round_trip(numbers);
    REQUIRE(same.size() == 2);
    CHECK((same == numbers).min());
    CHECK(round_trip(texts)[1] == text);
    CHECK(round_trip(std::valarray<int>{}).size() == 0);
}

TEST_CASE("pairs, tuples, optionals and variants come back", "[archive_types]")
{
    comes_back(std::pair(1, text));
    comes_back(std::tuple(1, text, 2.5, std::pair(true, 'c')));
    comes_back(std::tuple<>());
    comes_back(std::optional(text));
    comes_back(std::optional(std::optional<int>()));
    comes_back(std::variant<int, std::string>(text));
    comes_back(std::variant<std::monostate, int>());
    comes_back(std::variant<int, int>(std::in_place_index<1>, 5));
    comes_back(std::monostate());
#if __has_include(<boost/variant.hpp>)
    comes_back(boost::variant<int, std::string>(text));
#endif
}

TEST_CASE("times come back", "[archive_types]")
{
    comes_back(std::chrono::nanoseconds(-5));
    comes_back(std::chrono::duration<double, std::milli>(1.5));
    comes_back(std::chrono::system_clock::now());
    comes_back(std::chrono::steady_clock::now());
}

TEST_CASE("bitsets, complex numbers and atomics come back", "[archive_types]")
{
    comes_back(std::bitset<1>(1));
    comes_back(std::bitset<64>(0x8000'0000'0000'0001));
    comes_back(std::bitset<100>("1011"));
    comes_back(std::complex<double>(1, -2));
    comes_back(std::vector<std::complex<float>>{{1, 2}, {3, 4}});
    counter counted;
    counted.count = 42;
    CHECK(round_trip(counted).count == 42);
}

TEST_CASE("pointers come back with what they point to", "[archive_types]")
{
    CHECK(*round_trip(std::make_unique<std::string>(text)) == text);
    CHECK(round_trip(std::unique_ptr<int>()) == nullptr);
    CHECK(*round_trip(std::make_shared<const int>(5)) == 5);
    CHECK(round_trip(std::shared_ptr<int>()) == nullptr);

    auto shared = std::make_shared<int>(7);
    auto [strong, weak, other] =
        round_trip(std::tuple(shared, std::weak_ptr(shared), std::shared_ptr<const int>(shared)));
    CHECK(*strong == 7);
    CHECK(weak.lock() == strong);
    CHECK(other == strong);
    CHECK(round_trip(std::weak_ptr<int>()).expired());
}

TEST_CASE("types stand inside each other in any way", "[archive_types]")
{
    using deep = std::map<std::string,
                          std::vector<std::variant<int, std::optional<std::list<std::string>>>>>;
    comes_back(deep{{"a", {1, std::optional(std::list<std::string>{"x", text})}}, {"b", {}}});
}
