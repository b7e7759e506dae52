// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/content_type.hpp>
#include <brood/http/detail/content_types.hpp>
#include <brood/http/detail/text.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace brood::http
{
namespace detail
{

/// What stands behind the last dot of a file's name; empty when that dot begins the name.
inline std::string_view ending_of(std::string_view path) noexcept
{
    auto name = path.substr(path.rfind('/') + 1);
    auto dot = name.rfind('.');
    return dot == 0 || dot == name.npos ? std::string_view() : name.substr(dot + 1);
}

} // namespace detail

BROOD_INLINE std::string_view content_type(std::string_view path) noexcept
{
    auto ending = detail::ending_of(path);
    auto less = [](char one, char other)
    {
        return detail::lower(one) < detail::lower(other);
    };
    auto found = std::lower_bound(
        detail::content_types.begin(), detail::content_types.end(), ending,
        [&](auto& known, std::string_view wanted)
        {
            return std::lexicographical_compare(known.first.begin(), known.first.end(),
                                                wanted.begin(), wanted.end(), less);
        });
    auto known =
        found != detail::content_types.end() && detail::same_ignoring_case(found->first, ending);
    return known ? found->second : "application/octet-stream";
}

} // namespace brood::http
