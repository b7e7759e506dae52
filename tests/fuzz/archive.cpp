// SPDX-License-Identifier: BSL-1.0
// Bytes of any kind are a value, or refused with brood::error: nothing else ever happens. What was
// read and is written again must give the same bytes from then on.

#include <brood/codec/archive.hpp>

#include <cereal/types/array.hpp>
#include <cereal/types/bitset.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/complex.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/forward_list.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/polymorphic.hpp>
#include <cereal/types/queue.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/stack.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/valarray.hpp>
#include <cereal/types/variant.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace
{

enum class color : std::uint8_t
{
    red,
    blue
};

struct scalars
{
    bool flag = false;
    std::int32_t number = 0;
    double real = 0;
    color paint = color::red;
    std::array<bool, 3> switches{};
    std::array<std::uint16_t, 2> pair{};
    std::bitset<11> bits;
    std::chrono::milliseconds time{};
    std::complex<float> complex;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(flag, number, real, paint, switches, pair, bits, time, complex);
    }
};

struct containers
{
    std::string text;
    std::u16string wide;
    std::vector<std::uint32_t> numbers;
    std::vector<bool> flags;
    std::vector<std::string> texts;
    std::vector<std::monostate> nothing;
    std::deque<std::optional<std::string>> deque;
    std::list<std::pair<char, std::string>> list;
    std::forward_list<short> single;
    std::map<std::uint8_t, std::vector<char>> map;
    std::multimap<std::uint8_t, std::uint8_t> multi;
    std::set<std::string> set;
    std::queue<int> queue;
    std::stack<int> stack;
    std::valarray<std::uint16_t> values;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(text, wide, numbers, flags, texts, nothing, deque, list, single, map, multi, set,
                queue, stack, values);
    }
};

/// Everything that makes one value stand inside another.
struct tree
{
    std::vector<tree> branches;
    std::unique_ptr<tree> owned;
    std::variant<std::monostate, std::list<tree>, std::tuple<int, std::string>> either;
    std::map<std::string, tree> named;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(branches, owned, either, named);
    }
};

/// Shared objects of two types; no class points to itself, as rings are never freed.
struct leaf
{
    std::uint64_t number = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number);
    }
};

struct shared
{
    std::shared_ptr<leaf> first;
    std::shared_ptr<std::string> text;
    std::vector<std::shared_ptr<const leaf>> more;
    std::weak_ptr<std::string> weak;

    template <class Archive>
    void serialize(Archive& archive, std::uint32_t)
    {
        archive(first, text, more, weak);
    }
};

class shape
{
public:
    virtual ~shape() = default;

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
    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(cereal::base_class<shape>(this), side);
    }

    int side = 0;
};

using shapes = std::vector<std::shared_ptr<shape>>;

} // namespace

CEREAL_REGISTER_TYPE_WITH_NAME(square, "square")

template <>
inline constexpr bool brood::allow_polymorphic<shape> = true;

template <>
inline constexpr brood::enum_bounds<color> brood::enum_range<color>{color::red, color::blue};

namespace
{

// Small, so that short inputs meet them.
constexpr brood::archive_limits limits{.depth = 16, .memory = 64 << 10};

/// Reads; writes what was read; that must read and write as the same bytes.
template <class Value>
void check(std::span<const std::byte> input)
{
    Value value;
    try
    {
        value = brood::decode<Value>(input, limits);
    }
    catch (const brood::error& wrong)
    {
        if (wrong.code() != brood::errc::malformed)
            std::abort();
        return;
    }
    static brood::buffer first, second; // kept, as their memory is many times that of an input
    first.clear();
    second.clear();
    brood::encode(first, value, limits);
    brood::encode(second, brood::decode<Value>(first.data(), limits), limits);
    if (!std::ranges::equal(first.data(), second.data()))
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data + 1), size - 1);
    switch (data[0] % 5)
    {
    case 0:
        check<scalars>(bytes);
        break;
    case 1:
        check<containers>(bytes);
        break;
    case 2:
        check<tree>(bytes);
        break;
    case 3:
        check<shared>(bytes);
        break;
    case 4:
        check<shapes>(bytes);
        break;
    }
    return 0;
}
