// SPDX-License-Identifier: BSL-1.0
// A request is the same whether it comes at once or in pieces: what is whole at once is whole in
// pieces, with the same head, body, trailers and rest; and what is refused is never whole.

#include <brood/http/detail/parser.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using brood::http::fields;
using brood::http::parser_limits;
using brood::http::request_head;
using brood::http::detail::request_parser;

namespace
{

void require(bool holds)
{
    if (!holds)
        std::abort();
}

enum class state
{
    incomplete,
    complete,
    refused,
};

struct reading
{
    state how = state::incomplete;
    std::string head, body, trailers, rest;

    friend bool operator==(const reading&, const reading&) = default;
};

std::string to_text(const fields& from)
{
    std::string text;
    for (auto [name, value] : from)
        text.append(name).append(": ").append(value).append("\n");
    return text;
}

std::string_view as_text(const brood::buffer& input)
{
    return {reinterpret_cast<const char*>(input.data().data()), input.size()};
}

reading read(std::string_view text, std::size_t step, const parser_limits& limits)
{
    request_head head;
    fields trailers;
    request_parser parser(head, trailers, limits);
    static brood::buffer input; // kept, as its memory is many times that of a request
    input.clear();
    bool in_body = false;
    reading result;
    try
    {
        while (!text.empty())
        {
            auto piece = text.substr(0, step);
            text.remove_prefix(piece.size());
            input.append(piece.data(), piece.size());
            if (parser.done() && in_body)
                continue;
            in_body = in_body || parser.read_head(input);
            while (in_body && !parser.done())
            {
                auto more = parser.read_piece(as_text(input));
                require(more.bytes.size() <= more.used && more.used <= input.size());
                result.body += more.bytes;
                input.consume(more.used);
                if (more.used == 0)
                    break;
            }
        }
    }
    catch (const brood::http::refusal& why)
    {
        require(why.status() >= 400 && why.status() < 600);
        require(!parser.done());
        result.how = state::refused;
        return result;
    }
    if (!in_body || !parser.done())
        return result;
    result.how = state::complete;
    result.head = head.method + ' ' + head.target + '\n' + to_text(head.headers);
    result.trailers = to_text(trailers);
    result.rest = as_text(input);
    require(head.headers.size() <= limits.field_count);
    require(result.body.size() <= limits.body_size);
    return result;
}

} // namespace

// The first byte chooses the limits, the second the size of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 3)
        return 0;
    parser_limits limits;
    if (data[0] % 2 != 0)
    {
        limits.head_size = 100;
        limits.field_count = 5;
        limits.body_size = 30;
    }
    std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
    auto whole = read(text, text.size(), limits);
    auto pieces = read(text, 1U + data[1], limits);
    auto bytes = read(text, 1, limits);
    for (auto& other : {pieces, bytes})
    {
        if (whole.how == state::complete)
            require(other == whole);
        else
            require(other.how != state::complete);
        if (whole.how == state::incomplete)
            require(other.how == state::incomplete);
    }
    return 0;
}
