// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/text.hpp>
#include <brood/http/head.hpp>
#include <brood/http/host.hpp>
#include <brood/http/refusal.hpp>
#include <brood/http/target.hpp>

#include <string_view>
#include <type_traits>

namespace brood::http::detail
{

/// The fields on which it depends where a message ends and to whom it goes: what two servers may
/// read in two ways is refused.
template <bool is_request>
class framing_fields
{
public:
    using head_type = std::conditional_t<is_request, request_head, response_head>;

    /// The first line of the head has been read when it is first asked.
    explicit framing_fields(const head_type& head) noexcept : head_(head) {}

    void host(std::string_view value)
    {
        if (is_request && (++hosts_ > 1 || !(is_host(value) || names_no_host(value))))
            throw refusal(400, "bad Host");
    }

    /// Beast lets lengths pass that are the same twice, which only a response may have.
    void content_length(std::string_view value)
    {
        if ((++lengths_ > 1 && is_request) || value.find(',') != std::string_view::npos)
            throw refusal(400, "more than one Content-Length");
    }

    /// Whatever is not quite "chunked" another server may read in another way.
    void transfer_encoding(std::string_view value) const
    {
        if (head_.version < 11)
            throw refusal(400, "HTTP/1.0 has no Transfer-Encoding");
        if (same_name(value, "chunked"))
            return;
        // RFC 9112, section 6.3: then nobody knows where the body ends.
        auto last = trimmed(value.substr(value.rfind(',') + 1));
        auto has_end = is_request && same_name(last, "chunked");
        throw refusal(has_end ? 501 : 400, "only chunked is a Transfer-Encoding here");
    }

    void expect(std::string_view value)
    {
        if (is_request && !same_name(value, "100-continue"))
            throw refusal(417, "only 100-continue can be expected");
        expects_continue_ = true;
    }

    /// All of them have been read.
    void end_of_head()
    {
        if (is_request && hosts_ == 0 && head_.version >= 11)
            throw refusal(400, "no Host");
        if (head_.version < 11)
            expects_continue_ = false; // RFC 9110, section 10.1.1
    }

    /// Whether the client waits for "100 Continue" before it sends the body.
    bool expects_continue() const noexcept { return expects_continue_; }

private:
    // RFC 9110, section 7.2: right where the target names no host either.
    bool names_no_host(std::string_view value) const
    {
        if constexpr (is_request)
            return value.empty() && target(head_.target).form() != target_form::absolute;
        else
            return false;
    }

    const head_type& head_;
    unsigned hosts_ = 0;
    unsigned lengths_ = 0;
    bool expects_continue_ = false;
};

} // namespace brood::http::detail
