// SPDX-License-Identifier: BSL-1.0
#include <brood/base/descriptor.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/scarce_descriptors.hpp"

#include <system_error>
#include <utility>

using namespace brood;
using brood::test::open_descriptors;

namespace
{

descriptor open_null()
{
    return descriptor(::open("/dev/null", O_RDWR | O_CLOEXEC));
}

bool is_open(int number)
{
    return open_descriptors().count(number) != 0;
}

} // namespace

TEST_CASE("a descriptor closes its number when it goes", "[descriptor]")
{
    int number = -1;
    {
        auto owned = open_null();
        number = owned.get();
        CHECK(is_open(number));
    }
    CHECK_FALSE(is_open(number));
}

TEST_CASE("an empty descriptor has no number and is false", "[descriptor]")
{
    descriptor none;

    CHECK(none.get() == -1);
    CHECK_FALSE(none);
    none.reset();
}

TEST_CASE("moving hands the number on and leaves nothing", "[descriptor]")
{
    auto first = open_null();
    int number = first.get();

    descriptor second(std::move(first));

    CHECK(second.get() == number);
    CHECK_FALSE(first); // NOLINT: what a moved-from descriptor is, is promised
}

TEST_CASE("assigning closes what was owned before", "[descriptor]")
{
    auto first = open_null();
    auto second = open_null();
    int before = first.get();
    int number = second.get();

    first = std::move(second);

    CHECK(first.get() == number);
    CHECK_FALSE(is_open(before));
}

TEST_CASE("reset() closes at once, and leaves nothing", "[descriptor]")
{
    auto owned = open_null();
    int number = owned.get();
    owned.reset();

    CHECK_FALSE(owned);
    CHECK(owned.get() == -1);
    CHECK_FALSE(is_open(number));
}

TEST_CASE("the number 0 is a descriptor", "[descriptor]")
{
    descriptor zero(0);
    CHECK(zero);
    CHECK(zero.release() == 0);
}

TEST_CASE("duplicating nothing, or without room, throws", "[descriptor]")
{
    CHECK_THROWS_AS(descriptor().duplicate(), std::system_error);

    auto owned = open_null();
    auto taken = brood::test::all_but(0);
    std::error_code reason;
    try
    {
        owned.duplicate();
    }
    catch (const std::system_error& refused)
    {
        reason = refused.code();
    }
    taken.clear();
    CHECK(reason == std::errc::too_many_files_open);
}

TEST_CASE("release() gives the number away without closing it", "[descriptor]")
{
    auto owned = open_null();

    descriptor taken(owned.release());

    CHECK_FALSE(owned);
    CHECK(is_open(taken.get()));
}

TEST_CASE("a duplicate is the same open file, close-on-exec, and not a standard stream",
          "[descriptor]")
{
    auto owned = open_null();

    auto second = owned.duplicate();

    CHECK(second.get() != owned.get());
    CHECK(second.get() > 2);
    CHECK(::fcntl(second.get(), F_GETFD) == FD_CLOEXEC);
    CHECK(open_descriptors()[second.get()] == "/dev/null");
}

TEST_CASE("duplicating what is not open throws the number", "[descriptor]")
{
    CHECK_THROWS_WITH(descriptor::duplicate_of(9999),
                      "duplicate descriptor 9999: Bad file descriptor");
}
