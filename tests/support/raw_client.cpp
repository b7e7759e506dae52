// SPDX-License-Identifier: BSL-1.0
#include "support/raw_client.hpp"

#include <brood/base/detail/asio_net.hpp>
#include <brood/http/fields.hpp>

#include <asio/local/connect_pair.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace brood::test
{

std::optional<std::string> raw_response::header(std::string_view name) const
{
    std::size_t begin = head.find("\r\n") + 2;
    while (begin < head.size())
    {
        auto end = head.find("\r\n", begin);
        auto line = std::string_view(head).substr(begin, end - begin);
        auto colon = line.find(':');
        if (colon != std::string_view::npos && http::same_name(line.substr(0, colon), name))
            return std::string(line.substr(colon + 2));
        begin = end + 2;
    }
    return std::nullopt;
}

raw_client::socket_type raw_client::connect_pair()
{
    socket_type other(socket_.get_executor());
    asio::local::connect_pair(socket_, other);
    return other;
}

task<> raw_client::send(std::string text)
{
    co_await asio::async_write(socket_, asio::buffer(text), asio::use_awaitable);
}

task<std::optional<raw_response>> raw_client::response(bool to_head)
{
    raw_response result;
    auto head = co_await read_until("\r\n\r\n");
    if (!head)
        co_return std::nullopt;
    result.head = *head;
    result.status = std::stoi(result.head.substr(9, 3));
    if (to_head || result.status < 200 || result.status == 204 || result.status == 304)
        co_return result;
    if (auto length = result.header("Content-Length"))
        result.body = co_await read_exactly(std::stoul(*length));
    else if (result.header("Transfer-Encoding"))
        result.body = co_await read_chunks();
    else
        result.body = co_await read_all();
    co_return result;
}

task<std::string> raw_client::read_all()
{
    while (true)
    {
        auto more = co_await read_some();
        if (!more)
            co_return std::exchange(read_, {});
    }
}

task<bool> raw_client::ends()
{
    auto rest = co_await read_all();
    co_return rest.empty();
}

task<bool> raw_client::read_some()
{
    char bytes[65'536];
    auto into = asio::buffer(bytes);
    auto read = co_await socket_.async_read_some(into, brood::detail::use_tuple);
    read_.append(bytes, std::get<1>(read));
    co_return !std::get<0>(read);
}

task<std::optional<std::string>> raw_client::read_until(std::string mark)
{
    for (;;)
    {
        auto found = read_.find(mark);
        if (found != std::string::npos)
            co_return take(found + mark.size());
        auto more = co_await read_some();
        if (!more)
            co_return std::nullopt;
    }
}

task<std::string> raw_client::read_exactly(std::size_t count)
{
    while (read_.size() < count)
    {
        auto more = co_await read_some();
        if (!more)
            throw std::runtime_error("the body was cut off");
    }
    co_return take(count);
}

task<std::string> raw_client::read_chunks()
{
    std::string body;
    for (;;)
    {
        auto line = co_await read_until("\r\n");
        if (!line)
            throw std::runtime_error("the chunks were cut off");
        auto size = std::stoul(*line, nullptr, 16);
        auto chunk = co_await read_exactly(size + 2);
        body.append(chunk, 0, size);
        if (size == 0)
            co_return body;
    }
}

std::string raw_client::take(std::size_t count)
{
    auto taken = read_.substr(0, count);
    read_.erase(0, count);
    return taken;
}

} // namespace brood::test
