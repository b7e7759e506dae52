// SPDX-License-Identifier: BSL-1.0
#include <brood/pool/outcome.hpp>

#include "support/catch.hpp"

#include <memory>
#include <stdexcept>

using brood::outcome;

TEST_CASE("an outcome with a result gives it, and no failure", "[outcome]")
{
    outcome<int> made(3, 42);

    CHECK(made.index() == 3);
    CHECK(made.ok());
    CHECK(static_cast<bool>(made));
    CHECK(made.value() == 42);
    CHECK_FALSE(made.failure());
    CHECK(made.text().empty());
}

TEST_CASE("an outcome without a result throws what the call ended with", "[outcome]")
{
    outcome<int> made(4, std::make_exception_ptr(std::invalid_argument("no number")));

    CHECK(made.index() == 4);
    CHECK_FALSE(made.ok());
    CHECK_THROWS_AS(made.value(), std::invalid_argument);
    CHECK(made.failure());
    CHECK(made.text() == "no number");
}

TEST_CASE("a result that can only be moved is moved out", "[outcome]")
{
    outcome<std::unique_ptr<int>> made(0, std::make_unique<int>(5));

    auto kept = std::move(made).value();

    CHECK(*kept == 5);
}
