// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/date.hpp>

#include <array>
#include <ctime>
#include <optional>
#include <span>
#include <string_view>

namespace brood::http
{

/// The value of a Date field (RFC 9110 6.6.1), written anew only when the second is another one.
///
/// Never allocates. Not for several threads: each loop has its own.
class date_clock
{
public:
    /// The date of now, by the clock of the system, which may be set back. The view lives as long
    /// as the clock, and its text until the next call.
    std::string_view now() { return at(std::time(nullptr)); }

    /// The date of another time, as if it were now.
    std::string_view at(std::time_t time)
    {
        if (time != shown_)
        {
            write_http_date(time, text_);
            shown_ = time;
        }
        return {text_.data(), text_.size()};
    }

private:
    std::optional<std::time_t> shown_;
    std::array<char, http_date_size> text_{};
};

} // namespace brood::http
