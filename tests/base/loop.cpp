// SPDX-License-Identifier: BSL-1.0
#include <brood/base/loop.hpp>

#include "support/catch.hpp"

#include <thread>

using namespace brood;

TEST_CASE("without a loop default_executor() says what to do", "[loop]")
{
    CHECK_THROWS_WITH(default_executor(), Catch::Matchers::ContainsSubstring("brood::run()"));
}

TEST_CASE("a scope makes its executor the default until it ends", "[loop]")
{
    asio::io_context outer;
    asio::io_context inner;

    {
        default_executor_scope first(outer.get_executor());
        CHECK(default_executor() == outer.get_executor());
        {
            default_executor_scope second(inner.get_executor());
            CHECK(default_executor() == inner.get_executor());
        }
        CHECK(default_executor() == outer.get_executor());
    }

    CHECK_THROWS_AS(default_executor(), std::logic_error);
}

TEST_CASE("another thread has a default of its own", "[loop]")
{
    asio::io_context loop;
    default_executor_scope scope(loop.get_executor());
    bool threw = false;

    std::thread other(
        [&threw]
        {
            try
            {
                default_executor();
            }
            catch (const std::logic_error&)
            {
                threw = true;
            }
        });
    other.join();

    CHECK(threw);
}
