// SPDX-License-Identifier: BSL-1.0
// Text of any kind as a target, a host, a URL, a date, a list of tags and a range: taken apart
// within its bounds or refused, and what was taken says the same when it is written again.

#include <brood/http/byte_range.hpp>
#include <brood/http/conditions.hpp>
#include <brood/http/content_type.hpp>
#include <brood/http/date.hpp>
#include <brood/http/etag.hpp>
#include <brood/http/host.hpp>
#include <brood/http/percent.hpp>
#include <brood/http/target.hpp>
#include <brood/http/url.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace brood::http;

namespace
{

void require(bool holds)
{
    if (!holds)
        std::abort();
}

void take_apart(std::string_view text)
{
    target parts(text);
    if (auto pairs = parts.query())
        for (auto& [name, value] : *pairs)
            require(parts.query(name).has_value());
    require(parts.path() == percent_decoded(parts.raw_path()));
    if (is_target(text, "GET"))
        require(parts.form() == target_form::origin || is_host(parts.authority()));
    if (auto named = parse_host(text))
        require(!named->name.empty() && named->name.size() <= text.size());
    if (auto parsed = parse_url(text))
        require(parse_url("http://" + parsed->authority() + parsed->target) == parsed);
}

void decode(std::string_view text)
{
    auto encoded = percent_encoded(text);
    require(text.find('\0') != text.npos || percent_decoded(encoded) == text);
    for (auto c : encoded)
        require(c == '%' || detail::is_unreserved(c));
    if (auto plain = percent_decoded(text))
        require(plain->size() <= text.size() && plain->find('\0') == plain->npos);
    require(!content_type(text).empty());
}

void decide(std::string_view text)
{
    constexpr std::uint64_t size = 1000;
    validators current{text, 784'111'777};
    if (auto time = parse_http_date(text))
        require(parse_http_date(to_http_date(*time)) == time);
    require(lists_etag(text, text, etag_comparison::weak) == is_etag(text));
    evaluate("GET", {text, text, text, text}, current);
    auto range = select_range("GET", text, std::nullopt, current, size);
    require(range.first <= size && range.count <= size - range.first);
    require(range.what == byte_range::extent::unsatisfiable || range.count > 0);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string text(reinterpret_cast<const char*>(data), size);
    take_apart(text);
    decode(text);
    decide(text);
    return 0;
}
