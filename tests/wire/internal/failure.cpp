// SPDX-License-Identifier: BSL-1.0
#include <brood/wire/internal/failure.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <string>

using brood::detail::describe;

TEST_CASE("an exception is told by its type and its text", "[failure]")
{
    auto said = describe(std::make_exception_ptr(std::out_of_range("too far")), 1000);
    CHECK(said.type == "std::out_of_range");
    CHECK(said.text == "too far");

    auto unknown = describe(std::make_exception_ptr(7), 1000);
    CHECK(unknown.type == "unknown");
    CHECK(unknown.text == "an exception of unknown type");
}

TEST_CASE("type and text are cut to what a message may hold", "[failure]")
{
    auto thrown = std::make_exception_ptr(std::runtime_error(std::string(500, 'x')));
    CHECK(describe(thrown, 400).text == std::string(100, 'x'));
    CHECK(describe(thrown, 2000).text.size() == 500);
    CHECK(describe(thrown, 12).type == "std");
}
