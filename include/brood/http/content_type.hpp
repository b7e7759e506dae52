// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <string_view>

namespace brood::http
{

/// The value of a Content-Type field (RFC 9110 8.3) for a file of this name, by its ending alone;
/// "application/octet-stream" for an ending that is not known.
///
/// Folders before the name do not count, nor does the case of the ending. ".html" is a hidden file
/// without an ending. Text is said to be UTF-8; types that say it inside, as JSON and XML, are not.
std::string_view content_type(std::string_view path) noexcept;

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/content_type.ipp>
#endif
