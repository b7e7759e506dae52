// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace brood::http
{

/// The text in which each "%41" is the byte it stands for: RFC 3986 2.1.
///
/// Decoded once: "%2541" gives "%41". Bytes are not checked to be UTF-8. Nothing when a '%' has not
/// two hex digits behind it, and for a NUL, "%00" or bare, which would end a path early where the
/// system reads it.
std::optional<std::string> percent_decoded(std::string_view text);

/// The same for a name or value of a query as forms write it, where a '+' is a space:
/// https://url.spec.whatwg.org/#application/x-www-form-urlencoded
std::optional<std::string> form_decoded(std::string_view text);

/// The text in which all bytes but letters, digits and "-._~" are written as "%2F": RFC 3986 2.3.
///
/// Safe as one piece of a path and as a name or value of a query; of a whole path it would encode
/// the slashes as well. Both forms of decoding give the text back, unless it has a NUL.
std::string percent_encoded(std::string_view text);

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/percent.ipp>
#endif
