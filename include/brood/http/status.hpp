// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <string_view>

namespace brood::http
{

/// The words for a status as a status line has them, "Not Found"; "Unknown" for a code that is not
/// registered. RFC 9110 15, and the RFCs that registered others; 418 is for what Node says it is.
std::string_view reason(unsigned status) noexcept;

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/status.ipp>
#endif
