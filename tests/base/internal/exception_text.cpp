// SPDX-License-Identifier: BSL-1.0
#include <brood/base/internal/exception_text.hpp>

#include "support/catch.hpp"

#include <stdexcept>

using brood::detail::exception_text;

TEST_CASE("an exception says what it is, and one of another kind that nobody knows",
          "[exception_text]")
{
    CHECK(exception_text(std::make_exception_ptr(std::runtime_error("no idea"))) == "no idea");
    CHECK(exception_text(std::make_exception_ptr(7)) == "an exception of unknown type");
}
