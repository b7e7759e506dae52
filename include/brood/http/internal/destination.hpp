// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>

namespace brood::http::detail
{

/// What a URL leads a client to.
struct destination
{
    std::string path; ///< Of a local socket; empty for TCP.
    std::string host;
    std::uint16_t port = 0;
    std::string authority; ///< What the Host field says.
    std::string target;
};

} // namespace brood::http::detail
