// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/process/internal/pipe_ends.hpp>
#include <brood/process/stdio.hpp>

#include <cerrno>

namespace brood
{

BROOD_INLINE std::pair<stdio, stdio> stdio::pipe_between()
{
    detail::pipe_ends ends;
    if (!ends.open())
        throw_system_error(errno, "open a pipe between two children");
    return {from(std::move(ends.reading)), from(std::move(ends.writing))};
}

} // namespace brood
