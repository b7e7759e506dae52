// SPDX-License-Identifier: BSL-1.0
#include <brood/codec/message.hpp>

#include "support/catch.hpp"

#include <cereal/types/array.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/variant.hpp>

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

using namespace brood;

namespace
{

struct good
{
    int a = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(a);
    }
};

struct empty
{
};

struct no_function
{
    int a = 0;
};

struct only_save
{
    template <class Archive>
    void save(Archive&) const
    {
    }

    int a = 0;
};

struct only_load
{
    template <class Archive>
    void load(Archive&)
    {
    }

    int a = 0;
};

struct two_ways
{
    template <class Archive>
    void serialize(Archive&)
    {
    }

    template <class Archive>
    void serialize(Archive&, std::uint32_t)
    {
    }

    int a = 0;
};

struct needs_argument
{
    explicit needs_argument(int value) : a(value) {}

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(a);
    }

    int a;
};

struct cannot_move
{
    template <class Archive>
    void serialize(Archive&)
    {
    }

    std::atomic<int> a = 0;
};

struct move_only : good
{
    std::unique_ptr<int> owned;
};

struct base
{
    virtual ~base() = default;

    template <class Archive>
    void serialize(Archive&)
    {
    }
};

struct allowed : base
{
};

enum class color
{
    red
};

} // namespace

template <>
inline constexpr bool brood::allow_polymorphic<allowed> = true;

TEMPLATE_TEST_CASE("values that can cross are messages", "[message]", bool, int, double, color,
                   std::string, std::vector<good>, (std::array<int, 3>), std::optional<good>,
                   (std::variant<good, empty>), good, empty, base, std::unique_ptr<int>, move_only,
                   std::shared_ptr<good>, std::unique_ptr<allowed>, std::shared_ptr<allowed>)
{
    STATIC_REQUIRE(message<TestType>);
    STATIC_REQUIRE(check_message<TestType>());
}

TEMPLATE_TEST_CASE("what cannot cross is no message", "[message]", void, int*, const char*, int&,
                   const good&, const int, volatile int, int[3], void(), void (*)(), std::nullptr_t,
                   int good::*, no_function, only_save, only_load, two_ways, needs_argument,
                   cannot_move, std::unique_ptr<base>, std::shared_ptr<base>, std::weak_ptr<base>,
                   std::string_view, std::mutex)
{
    STATIC_REQUIRE_FALSE(message<TestType>);
}
