// SPDX-License-Identifier: BSL-1.0
#include <brood/base/internal/demangled.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <typeinfo>

using brood::detail::demangled;

TEST_CASE("a type is named as one writes it, and what is no such name stays", "[demangled]")
{
    CHECK(demangled(typeid(std::logic_error).name()) == "std::logic_error");
    CHECK(demangled(typeid(int).name()) == "int");
    CHECK(demangled("no name of a type") == "no name of a type");
    CHECK(demangled("") == "");
}
