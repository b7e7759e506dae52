// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/buffer.hpp>
#include <brood/http/refusal.hpp>

#include <cstddef>
#include <string_view>
#include <utility>

namespace brood::http::detail
{

/// Puts a space into a text that has not been read.
inline void insert_space(buffer& input, std::size_t at)
{
    buffer mended;
    mended.append(input.data().data(), at);
    mended.append(" ", 1);
    mended.append(input.data().data() + at, input.size() - at);
    input = std::move(mended);
}

/// Refuses a line of a head that ends otherwise than with CR LF: then the head may have no end.
inline void check_lines(std::string_view head)
{
    for (auto end = head.find('\n'); end != head.npos; end = head.find('\n', end + 1))
        if (end == 0 || head[end - 1] != '\r')
            throw refusal(400, "a line that does not end with CR LF");
}

} // namespace brood::http::detail
