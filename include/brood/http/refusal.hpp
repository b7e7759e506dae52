// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

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

    unsigned status() const noexcept { return status_; }

private:
    unsigned status_;
};

} // namespace brood::http
