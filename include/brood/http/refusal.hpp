// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/fields.hpp>

#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>

namespace brood::http
{

/// Why a request is not served, with the status that tells the client. Thrown by what reads a
/// request; one that leaves a handler is the answer, so a handler may throw its own:
/// `throw http::refusal(404, "no such book")`.
class refusal : public std::runtime_error
{
public:
    /// `text` is sent to the client, and stands in what().
    refusal(unsigned status, const std::string& text) : std::runtime_error(text), status_(status) {}

    /// The same with fields of the answer:
    /// `throw http::refusal(401, "who are you?", {{"WWW-Authenticate", "Basic"}})`. Throws as
    /// fields::add.
    refusal(unsigned status, const std::string& text, std::initializer_list<fields::field> headers);

    unsigned status() const noexcept { return status_; }

    const fields& headers() const noexcept;

private:
    unsigned status_;
    std::shared_ptr<const fields> headers_; // shared, as copying an exception must not throw
};

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/refusal.ipp>
#endif
