// SPDX-License-Identifier: BSL-1.0
#pragma once

// Catch2, version 2 or 3, under the names of version 3.

#if __has_include(<catch2/catch_all.hpp>)

#include <catch2/catch_all.hpp>

#else

#include <catch2/catch.hpp>

#include <string>

namespace Catch
{

using Detail::Approx;

namespace Matchers
{

inline auto ContainsSubstring(const std::string& text)
{
    return Contains(text);
}

} // namespace Matchers
} // namespace Catch

#endif
