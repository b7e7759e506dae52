// SPDX-License-Identifier: BSL-1.0
#include "support/line_server.hpp"

#include <brood/base/detail/asio_net.hpp>

#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace brood::test
{

task<> answer_lines(asio::ip::tcp::socket client, const bool& stopping)
{
    std::string line;
    try
    {
        for (bool last = false; !last;)
        {
            auto into = asio::dynamic_buffer(line);
            auto size = co_await asio::async_read_until(client, into, '\n', asio::use_awaitable);
            last = stopping;
            auto answer = (last ? "close " : "keep ") + line.substr(0, size);
            line.erase(0, size);
            co_await asio::async_write(client, asio::buffer(answer), asio::use_awaitable);
        }
    }
    catch (const std::system_error&)
    {
        // The client has gone.
    }
}

task<> serve_lines(process& self)
{
    auto listener = co_await self.listen(0);
    auto executor = co_await asio::this_coro::executor;
    bool stopping = false;
    int running = 0;
    for (;;)
    {
        auto client = co_await listener.accept();
        if (!client)
            break;
        ++running;
        asio::co_spawn(executor, answer_lines(std::move(*client), stopping),
                       [&](std::exception_ptr) { --running; });
    }
    stopping = true;
    while (running != 0)
        co_await sleep(std::chrono::milliseconds(1));
}

task<bool> request_line(asio::ip::tcp::socket& server, std::size_t number)
{
    auto request = std::to_string(number) + '\n';
    co_await asio::async_write(server, asio::buffer(request), asio::use_awaitable);
    std::string answer;
    auto into = asio::dynamic_buffer(answer);
    co_await asio::async_read_until(server, into, '\n', asio::use_awaitable);
    if (answer != "keep " + request && answer != "close " + request)
        throw std::runtime_error("wrong answer: " + answer);
    co_return answer.starts_with("keep");
}

task<> ask_lines_on(load& of, asio::ip::tcp::socket server, bool keep)
{
    for (bool kept = true; kept && !of.stop;)
    {
        auto wanted = co_await request_line(server, ++of.asked);
        ++of.answered;
        kept = wanted && keep;
    }
}

task<> ask_lines(load& of, bool keep)
{
    while (!of.stop)
    {
        auto server = co_await connect_to(of.port);
        co_await ask_lines_on(of, std::move(server), keep);
    }
}

} // namespace brood::test
