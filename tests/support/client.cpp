// SPDX-License-Identifier: BSL-1.0
#include "support/client.hpp"

#include <brood/base/detail/asio_net.hpp>

#include <asio/redirect_error.hpp>

#include <system_error>
#include <utility>

namespace brood::test
{

std::uint16_t port_of(const std::string& address)
{
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

task<asio::ip::tcp::socket> connect_to(std::uint16_t port)
{
    auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::socket socket(executor);
    asio::ip::tcp::endpoint at(asio::ip::address_v4::loopback(), port);
    co_await socket.async_connect(at, asio::use_awaitable);
    co_return socket;
}

task<std::string> read_all(asio::ip::tcp::socket from)
{
    std::string text;
    char bytes[512];
    for (;;)
    {
        auto buffer = asio::buffer(bytes);
        std::error_code failed;
        auto token = asio::redirect_error(asio::use_awaitable, failed);
        auto count = co_await from.async_read_some(buffer, token);
        text.append(bytes, count);
        if (failed == asio::error::eof)
            co_return text;
        if (failed)
            throw std::system_error(failed, "read");
    }
}

task<std::string> ask(std::uint16_t port)
{
    auto connection = co_await connect_to(port);
    auto text = co_await read_all(std::move(connection));
    co_return text;
}

} // namespace brood::test
