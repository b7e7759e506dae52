// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::http
{

/// Names and values of a query, decoded, in the order in which they stand there.
using query_pairs = std::vector<std::pair<std::string, std::string>>;

/// The four forms of a target: RFC 9112 3.2.
enum class target_form
{
    origin,    ///< "/path?query"
    absolute,  ///< "http://host:port/path?query"
    authority, ///< "host:port", for CONNECT.
    asterisk,  ///< "*", the server as a whole, for OPTIONS.
};

/// The parts of a request's target; a view of the text that it was made from.
///
/// Takes any text apart; is_target() says whether it is one. Nothing is normalised: "//" and ".."
/// stay, and who maps a path to files refuses or resolves them after decoding.
class target
{
public:
    explicit target(std::string_view text) noexcept;

    /// Told by the text alone: "*", what begins with '/', what begins with "scheme://", the rest.
    target_form form() const noexcept { return form_; }

    /// "http" of the absolute form, as it was written; empty in the others.
    std::string_view scheme() const noexcept { return scheme_; }

    /// "host:port" of the absolute and the authority form; empty in the others.
    std::string_view authority() const noexcept { return authority_; }

    /// The path as it was written, without the query. "/" for "http://host" and "http://host?query"
    /// (RFC 9110 4.2.3), "*" in the asterisk form, empty in the authority form.
    std::string_view raw_path() const noexcept { return path_; }

    /// The path, decoded; nothing when it has a bad escape or "%00". An encoded slash has become
    /// one like the others.
    std::optional<std::string> path() const;

    /// What stands behind the first '?', as it was written; empty also when there is no '?'.
    std::string_view query_text() const noexcept { return query_; }

    /// All of the query as forms write it: pieces between '&', a '+' for a space, an empty value
    /// for a name without '='. Empty pieces are skipped. Nothing when a name or value has a bad
    /// escape or "%00".
    std::optional<query_pairs> query() const;

    /// The first value of this name in the query, empty when it has no '='; nothing when the name
    /// is not there, or that value has a bad escape. Other pieces may have bad ones.
    std::optional<std::string> query(std::string_view name) const;

private:
    target_form form_ = target_form::origin;
    std::string_view scheme_;
    std::string_view authority_;
    std::string_view path_;
    std::string_view query_;
};

/// Whether the text may be the target of a request with this method: RFC 9112 3.2.
///
/// Only visible ASCII without '#'. A path that begins with '/' or an absolute URL of http or https
/// with a host (but without user information: RFC 9110 4.2.4) for every method but CONNECT, "*" for
/// OPTIONS only, and for CONNECT only "host:port", with the port (RFC 9110 9.3.6). Escapes are not
/// checked, as clients put a bare '%' in queries: decoding says.
bool is_target(std::string_view text, std::string_view method) noexcept;

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/target.ipp>
#endif
