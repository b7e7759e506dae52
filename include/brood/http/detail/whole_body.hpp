// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/task.hpp>

#include <cstddef>
#include <string>

namespace brood::http::detail
{

/// All pieces of a body, one behind the other. `from` gives them, says how many bytes are to be
/// expected at least, and throws what more than `limit` get.
template <class Source>
task<std::string> read_whole(Source from, std::size_t limit)
{
    if (from.expected() > limit)
        from.refuse(limit);
    std::string whole;
    for (;;)
    {
        auto piece = co_await from.next();
        if (!piece)
            co_return whole;
        if (piece->size() > limit - whole.size())
            from.refuse(limit);
        whole += *piece;
    }
}

} // namespace brood::http::detail
