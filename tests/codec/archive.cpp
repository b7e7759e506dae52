// SPDX-License-Identifier: BSL-1.0
#include <brood/codec/archive.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <cereal/archives/binary.hpp>
#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/polymorphic.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/utility.hpp>

#include <cstdint>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace brood;
using Catch::Matchers::ContainsSubstring;

namespace
{

template <class Value>
Value round_trip(const Value& value)
{
    buffer bytes;
    encode(bytes, value);
    return decode<Value>(bytes.data());
}

/// The same type through one of cereal's own archives.
template <class Output, class Input, class Value>
Value through(const Value& value)
{
    std::stringstream stream;
    {
        Output output(stream);
        output(value);
    }
    Input input(stream);
    Value back{};
    input(back);
    return back;
}

} // namespace

// All the ways in which a class can tell cereal about itself.
namespace ways
{

struct member_serialize
{
    int a = 0;
    std::string b = {};

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(a, CEREAL_NVP(b));
    }

    bool operator==(const member_serialize&) const = default;
};

class private_serialize
{
public:
    private_serialize() = default;

    explicit private_serialize(int a) : a_(a) {}

    bool operator==(const private_serialize&) const = default;

private:
    friend class cereal::access;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive& a_;
    }

    int a_ = 0;
};

struct free_serialize
{
    int a = 0;

    bool operator==(const free_serialize&) const = default;
};

template <class Archive>
void serialize(Archive& archive, free_serialize& value)
{
    archive(value.a);
}

struct member_split
{
    int a = 0;

    template <class Archive>
    void save(Archive& archive) const
    {
        archive(a + 1);
    }

    template <class Archive>
    void load(Archive& archive)
    {
        archive(a);
        --a;
    }

    bool operator==(const member_split&) const = default;
};

struct free_split
{
    int a = 0;

    bool operator==(const free_split&) const = default;
};

template <class Archive>
void save(Archive& archive, const free_split& value)
{
    archive(-value.a);
}

template <class Archive>
void load(Archive& archive, free_split& value)
{
    archive(value.a);
    value.a = -value.a;
}

struct member_minimal
{
    int a = 0;

    template <class Archive>
    std::string save_minimal(const Archive&) const
    {
        return std::to_string(a);
    }

    template <class Archive>
    void load_minimal(const Archive&, const std::string& text)
    {
        a = std::stoi(text);
    }

    bool operator==(const member_minimal&) const = default;
};

struct free_minimal
{
    int a = 0;

    bool operator==(const free_minimal&) const = default;
};

template <class Archive>
int save_minimal(const Archive&, const free_minimal& value)
{
    return value.a;
}

template <class Archive>
void load_minimal(const Archive&, free_minimal& value, const int& number)
{
    value.a = number;
}

struct versioned
{
    int a = 0;
    std::uint32_t version = 0;

    template <class Archive>
    void serialize(Archive& archive, std::uint32_t of)
    {
        archive(a);
        version = of;
    }
};

struct versioned_split
{
    int a = 0;
    std::uint32_t version = 0;

    template <class Archive>
    void save(Archive& archive, std::uint32_t) const
    {
        archive(a);
    }

    template <class Archive>
    void load(Archive& archive, std::uint32_t of)
    {
        archive(a);
        version = of;
    }
};

struct versioned_minimal
{
    int a = 0;
    std::uint32_t version = 0;

    template <class Archive>
    int save_minimal(const Archive&, std::uint32_t) const
    {
        return a;
    }

    template <class Archive>
    void load_minimal(const Archive&, const int& number, std::uint32_t of)
    {
        a = number;
        version = of;
    }
};

struct free_versioned
{
    int a = 0;
    std::uint32_t version = 0;
};

template <class Archive>
void serialize(Archive& archive, free_versioned& value, std::uint32_t of)
{
    archive(value.a);
    value.version = of;
}

struct base
{
    int in_base = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(in_base);
    }
};

/// Inherits serialize() and has its own split pair: cereal::specialize says which.
struct specialized : base
{
    int own = 0;

    template <class Archive>
    void save(Archive& archive) const
    {
        archive(cereal::base_class<base>(this), own);
    }

    template <class Archive>
    void load(Archive& archive)
    {
        archive(cereal::base_class<base>(this), own);
    }
};

/// Has no empty state: it is made when its members are there.
class made_whole
{
public:
    explicit made_whole(std::string name) : name_(std::move(name)) {}

    const std::string& name() const { return name_; }

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(name_);
    }

    template <class Archive>
    static void load_and_construct(Archive& archive, cereal::construct<made_whole>& construct)
    {
        std::string name;
        archive(name);
        construct(name);
    }

private:
    std::string name_;
};

enum class spelled
{
    no,
    yes
};

/// An enum that travels as text.
template <class Archive>
std::string save_minimal(const Archive&, const spelled& value)
{
    return value == spelled::yes ? "yes" : "no";
}

template <class Archive>
void load_minimal(const Archive&, spelled& value, const std::string& text)
{
    if (text != "yes" && text != "no")
        throw std::invalid_argument("neither yes nor no");
    value = text == "yes" ? spelled::yes : spelled::no;
}

} // namespace ways

CEREAL_CLASS_VERSION(ways::versioned, 7)
CEREAL_CLASS_VERSION(ways::versioned_split, 8)
CEREAL_CLASS_VERSION(ways::versioned_minimal, 9)
CEREAL_CLASS_VERSION(ways::free_versioned, 10)
CEREAL_SPECIALIZE_FOR_ALL_ARCHIVES(ways::specialized, cereal::specialization::member_load_save)

namespace
{

/// A diamond: `top` is there once, and so in the message.
struct top
{
    int a = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(a);
    }
};

struct left : virtual top
{
    int b = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(cereal::virtual_base_class<top>(this), b);
    }
};

struct right : virtual top
{
    int c = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(cereal::virtual_base_class<top>(this), c);
    }
};

struct bottom : left, right
{
    int d = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(cereal::virtual_base_class<left>(this), cereal::virtual_base_class<right>(this), d);
    }
};

/// A diamond with an object of an own class between its sides, which is a diamond itself.
struct layered : left, right
{
    bottom between;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(cereal::virtual_base_class<left>(this), between,
                cereal::virtual_base_class<right>(this));
    }
};

bottom make_bottom(int number)
{
    bottom made;
    made.a = number;
    made.b = number + 1;
    made.c = number + 2;
    made.d = number + 3;
    return made;
}

struct node
{
    int number = 0;
    std::shared_ptr<node> next;
    std::weak_ptr<node> back;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number, next, back);
    }
};

/// A graph whose edges are written after its nodes, so that it may be deep.
struct graph
{
    struct place
    {
        std::shared_ptr<place> next;

        template <class Archive>
        void serialize(Archive& archive)
        {
            archive(cereal::defer(next));
        }
    };

    std::vector<std::shared_ptr<place>> places;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(places);
        archive.serializeDeferments();
    }
};

struct fails
{
    std::string before = std::string(10'000, 'x'); // so that the buffer has grown
    bool when_saved = false;

    template <class Archive>
    void save(Archive& archive) const
    {
        archive(before);
        if (when_saved)
            throw std::runtime_error("cannot be saved");
    }

    template <class Archive>
    void load(Archive& archive)
    {
        archive(before);
        throw std::runtime_error("cannot be loaded");
    }
};

} // namespace

class shape
{
public:
    shape() = default;
    shape(const shape&) = default;
    virtual ~shape() = default;

    virtual int corners() const = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(name);
    }

    std::string name;
};

class square : public shape
{
public:
    int corners() const override { return 4; }

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(cereal::base_class<shape>(this), side);
    }

    int side = 0;
};

class stranger
{
public:
    stranger() = default;
    stranger(const stranger&) = default;
    virtual ~stranger() = default;

    template <class Archive>
    void serialize(Archive&)
    {
    }
};

CEREAL_REGISTER_TYPE(square)
CEREAL_REGISTER_TYPE(stranger)

template <>
inline constexpr bool brood::allow_polymorphic<shape> = true;

TEMPLATE_TEST_CASE("every way of being serialised works, as with cereal's own archives",
                   "[archive]", ways::member_serialize, ways::private_serialize,
                   ways::free_serialize, ways::member_split, ways::free_split, ways::member_minimal,
                   ways::free_minimal)
{
    TestType value{42};
    CHECK(round_trip(value) == value);
    CHECK(round_trip(std::vector<TestType>{value, TestType{}}).front() == value);
    CHECK(through<cereal::BinaryOutputArchive, cereal::BinaryInputArchive>(value) == value);
    CHECK((through<cereal::PortableBinaryOutputArchive, cereal::PortableBinaryInputArchive>(
               value) == value));
}

TEMPLATE_TEST_CASE("a class learns the version it was written with", "[archive]", ways::versioned,
                   ways::versioned_split, ways::versioned_minimal, ways::free_versioned)
{
    std::vector<TestType> values{{1, 0}, {2, 0}};
    auto back = round_trip(values);

    CHECK(back[0].a == 1);
    CHECK(back[1].a == 2);
    CHECK(back[0].version == cereal::detail::Version<TestType>::version);
    CHECK(back[1].version == back[0].version);
    CHECK(back[0].version >= 7);

    buffer bytes;
    encode(bytes, values);
    CHECK(bytes.size() == 1 + 4 + 2 * 4); // the version is there once
}

TEST_CASE("cereal::specialize chooses between several ways", "[archive]")
{
    ways::specialized value;
    value.in_base = 1;
    value.own = 2;
    auto back = round_trip(value);
    CHECK(back.in_base == 1);
    CHECK(back.own == 2);
}

TEST_CASE("an enum may travel in a way of its own", "[archive]")
{
    CHECK(round_trip(ways::spelled::yes) == ways::spelled::yes);
    buffer bytes;
    encode(bytes, std::string("maybe"));
    CHECK_THROWS_WITH(decode<ways::spelled>(bytes.data()), ContainsSubstring("neither yes nor no"));
}

TEST_CASE("a class without a default constructor is made behind a pointer", "[archive]")
{
    auto owned = std::make_unique<ways::made_whole>("owned");
    CHECK(round_trip(owned)->name() == "owned");
    auto shared = std::make_shared<ways::made_whole>("shared");
    auto back = round_trip(std::pair(shared, shared));
    CHECK(back.first->name() == "shared");
    CHECK(back.first == back.second);
}

TEST_CASE("a virtual base is written once in each object", "[archive]")
{
    auto back = round_trip(make_bottom(10));
    CHECK(back.a == 10);
    CHECK(back.b == 11);
    CHECK(back.c == 12);
    CHECK(back.d == 13);

    // Elements of a map are read one after the other at the same address.
    std::map<int, bottom> many{{1, make_bottom(20)}, {2, make_bottom(30)}};
    auto all = round_trip(many);
    CHECK(all[1].a == 20);
    CHECK(all[2].a == 30);
    CHECK(all[2].d == 33);
}

TEST_CASE("a virtual base is written once, whatever stands between the classes that share it",
          "[archive]")
{
    layered value;
    value.a = 1;
    value.b = 2;
    value.c = 3;
    value.between = make_bottom(10);
    buffer bytes;
    encode(bytes, value);
    auto back = round_trip(value);

    CHECK(bytes.size() == 7 * 4);
    CHECK(back.a == 1);
    CHECK(back.b == 2);
    CHECK(back.c == 3);
    CHECK(back.between.a == 10);
    CHECK(back.between.d == 13);
}

TEST_CASE("shared objects stay shared, also in a ring", "[archive]")
{
    auto first = std::make_shared<node>();
    auto second = std::make_shared<node>();
    first->number = 1;
    second->number = 2;
    first->next = second;
    second->back = first;

    auto back = round_trip(first);
    CHECK(back->number == 1);
    REQUIRE(back->next);
    CHECK(back->next->number == 2);
    CHECK(back->next->back.lock() == back);
    CHECK(back->back.lock() == nullptr);
}

TEST_CASE("objects of two types at one address are two objects", "[archive]")
{
    struct outer
    {
        ways::member_serialize first;

        void serialize(archive_writer& archive) { archive(first); }

        void serialize(archive_reader& archive) { archive(first); }
    };
    auto whole = std::make_shared<outer>(outer{{5, "five"}});
    std::shared_ptr<ways::member_serialize> part(whole, &whole->first);

    auto [back, same] = round_trip(std::pair(whole, part));
    CHECK(back->first == ways::member_serialize{5, "five"});
    CHECK(*same == ways::member_serialize{5, "five"});

    auto all = round_trip(std::tuple(whole, part, whole, part));
    CHECK(std::get<0>(all) == std::get<2>(all));
    CHECK(std::get<1>(all) == std::get<3>(all));
}

TEST_CASE("deferred members make deep structures flat", "[archive]")
{
    graph deep;
    deep.places.push_back(std::make_shared<graph::place>());
    for (auto last = deep.places.back(); deep.places.size() < 1000; last = last->next)
        deep.places.push_back(last->next = std::make_shared<graph::place>());

    auto back = round_trip(deep);
    REQUIRE(back.places.size() == 1000);
    for (std::size_t place = 0; place + 1 < back.places.size(); ++place)
        CHECK(back.places[place]->next == back.places[place + 1]);

    // Also when only the first is named and each is found behind the one before.
    deep.places.resize(1);
    back = round_trip(deep);
    std::size_t length = 0;
    for (auto at = back.places.front(); at; at = at->next)
        ++length;
    CHECK(length == 1000);
}

TEST_CASE("registered classes cross behind a pointer to a base that allows it", "[archive]")
{
    auto made = std::make_shared<square>();
    made->name = "unit";
    made->side = 3;
    std::vector<std::shared_ptr<shape>> shapes{made, nullptr, made};

    auto back = round_trip(shapes);
    REQUIRE(back.size() == 3);
    REQUIRE(back[0]);
    CHECK(back[0]->corners() == 4);
    CHECK(back[0]->name == "unit");
    CHECK(dynamic_cast<square&>(*back[0]).side == 3);
    CHECK(back[1] == nullptr);
    CHECK(back[2] == back[0]);

    std::unique_ptr<shape> owned = std::make_unique<square>(*made);
    CHECK(round_trip(owned)->name == "unit");
}

TEST_CASE("a class that is not registered, or no such shape, is malformed", "[archive]")
{
    auto named = [](const std::string& name)
    {
        buffer bytes;
        archive_writer{bytes}(std::uint32_t{0x80000001}, name, std::uint32_t{0x80000001});
        archive_writer{bytes}(std::string("unit"), 3);
        return bytes;
    };
    CHECK(decode<std::shared_ptr<shape>>(named("square").data())->name == "unit");
    for (auto name : {"circle", "", "stranger"})
        CHECK_THROWS_AS(decode<std::shared_ptr<shape>>(named(name).data()), error);
}

TEST_CASE("encode() appends, and leaves the buffer as it was when it throws", "[archive]")
{
    buffer bytes;
    bytes.append("kept", 4);

    fails value;
    value.when_saved = true;
    CHECK_THROWS_WITH(encode(bytes, value), "cannot be saved");
    CHECK(bytes.size() == 4);
    encode(bytes, std::uint8_t{'!'});
    CHECK(std::string(reinterpret_cast<const char*>(bytes.data().data()), bytes.size()) == "kept!");
}

TEST_CASE("what a type throws while it is decoded makes the bytes malformed", "[archive]")
{
    buffer bytes;
    encode(bytes, fails{});
    try
    {
        (void)decode<fails>(bytes.data());
        FAIL("it was decoded");
    }
    catch (const error& wrong)
    {
        CHECK(wrong.code() == errc::malformed);
        CHECK(wrong.text() == "the value cannot be made: cannot be loaded");
    }
}

TEST_CASE("limits are asked for each time", "[archive]")
{
    auto first = std::make_shared<node>();
    first->next = std::make_shared<node>();
    buffer bytes;

    CHECK_THROWS_AS(encode(bytes, first, {.depth = 1}), error);
    CHECK(bytes.empty());
    encode(bytes, first);
    CHECK_THROWS_AS(decode<std::shared_ptr<node>>(bytes.data(), {.depth = 1}), error);
    CHECK_NOTHROW(decode<std::shared_ptr<node>>(bytes.data(), {.depth = 2}));
}

TEST_CASE("encoding into a buffer that is in use allocates nothing", "[archive]")
{
    std::pair<ways::member_serialize, std::vector<double>> value{
        {1, "a text longer than any string keeps inside"}, {1, 2, 3}};
    buffer bytes;
    encode(bytes, value);
    bytes.clear();

    auto taken = allocated_by(
        [&]
        {
            for (int time = 0; time < 100; ++time)
            {
                encode(bytes, value);
                bytes.consume(bytes.size());
            }
        });
    CHECK(taken.count == 0);
}

TEST_CASE("random values of all sizes come back", "[archive]")
{
    std::mt19937 random(1);
    for (int time = 0; time < 200; ++time)
    {
        std::map<std::string, std::vector<std::uint32_t>> value;
        for (auto entries = random() % 20; entries > 0; --entries)
        {
            auto& numbers = value[std::string(random() % 600, static_cast<char>(random()))];
            numbers.resize(random() % 600);
            for (auto& number : numbers)
                number = static_cast<std::uint32_t>(random());
        }
        CHECK(round_trip(value) == value);
    }
}
