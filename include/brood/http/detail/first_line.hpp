// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/buffer.hpp>
#include <brood/http/detail/head_lines.hpp>
#include <brood/http/detail/text.hpp>
#include <brood/http/refusal.hpp>

#include <cstddef>
#include <string_view>

namespace brood::http::detail
{

inline std::string_view text_of(const buffer& input)
{
    return {reinterpret_cast<const char*>(input.data().data()), input.size()};
}

/// What has to be done to the beginning of a message before Beast reads it.
template <bool is_request>
class first_line
{
public:
    /// Takes an empty line off the front: RFC 9112, section 2.2, also from servers, as Node and Go
    /// take it. False when it is not known yet whether there is one.
    bool skip_empty_line(buffer& input)
    {
        auto seen = text_of(input);
        if (skipped_)
            return true;
        skipped_ = seen.starts_with("\r\n");
        if (skipped_)
            input.consume(2);
        return seen != "\r";
    }

    /// What Beast does not take becomes what it does: a later version of HTTP/1 (RFC 9110, section
    /// 6.2), and a status without the space behind it, as real servers send it and Node and Go read
    /// it. Beast reads the line as far as it has come: to be called until all of it is there.
    void mend(buffer& input)
    {
        if (whole_)
            return;
        auto seen = text_of(input);
        auto line = seen.substr(0, seen.find('\r'));
        whole_ = line.size() != seen.size();
        if (is_request && whole_ && line.ends_with(' '))
            throw refusal(400, "a space at the end of the request line");
        constexpr std::string_view version = "HTTP/1.";
        auto at = is_request ? line.rfind(' ') + 1 : 0;
        auto digit = at + version.size();
        if (line.substr(at, version.size()) != version || digit >= line.size())
            return;
        if (line[digit] >= '2' && line[digit] <= '9')
            input.data()[digit] = std::byte{'1'};
        if (!is_request && whole_ && line.size() == digit + std::string_view("1 200").size())
            insert_space(input, line.size());
    }

private:
    bool skipped_ = false;
    bool whole_ = false;
};

/// Whether a request line names a version, if one that is not ours.
inline bool names_other_version(std::string_view line)
{
    auto begin = line.find(' ', line.find(' ') + 1) + 1;
    auto version = line.substr(begin, 8);
    return version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
           version[6] == '.' && is_digit(version[7]) && version != "HTTP/1.0" &&
           version != "HTTP/1.1";
}

} // namespace brood::http::detail
