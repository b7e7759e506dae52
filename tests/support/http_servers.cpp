// SPDX-License-Identifier: BSL-1.0
#include "support/http_servers.hpp"

#include <brood/base/detail/asio_net.hpp>
#include <brood/base/loop.hpp>

#include <asio/write.hpp>

#include <tuple>
#include <utility>

namespace brood::test
{
namespace
{

raw_server::script always(std::string answer)
{
    return [answer](raw_peer& peer) -> task<>
    {
        for (;;)
        {
            auto request = co_await peer.read_until();
            if (!request.ends_with("\r\n\r\n"))
                co_return;
            co_await peer.send(answer);
        }
    };
}

} // namespace

asio::ip::tcp::acceptor local_acceptor()
{
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    return asio::ip::tcp::acceptor(default_executor(), any);
}

std::string url_of(const asio::ip::tcp::acceptor& acceptor)
{
    return "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
}

running_server::running_server(http::handler handler, http::server_options options)
    : server(std::move(handler), std::move(options))
{
    auto acceptor = local_acceptor();
    url_ = url_of(acceptor);
    asio::co_spawn(default_executor(), server.serve(std::move(acceptor)), asio::detached);
}

raw_peer::raw_peer(asio::ip::tcp::socket socket, std::size_t count)
    : number(count), socket_(std::move(socket))
{
}

task<std::string> raw_peer::read_until(std::string mark)
{
    for (;;)
    {
        auto found = read_.find(mark);
        if (found != std::string::npos)
        {
            auto taken = read_.substr(0, found + mark.size());
            read_.erase(0, taken.size());
            co_return taken;
        }
        char bytes[65'536];
        auto into = asio::buffer(bytes);
        auto reading = socket_.async_read_some(into, brood::detail::use_tuple);
        auto result = co_await std::move(reading);
        if (std::get<0>(result))
            co_return std::exchange(read_, {});
        read_.append(bytes, std::get<1>(result));
    }
}

task<> raw_peer::send(std::string text)
{
    auto writing = asio::async_write(socket_, asio::buffer(text), brood::detail::use_tuple);
    co_await std::move(writing);
}

task<> raw_peer::stay()
{
    co_await read_until(std::string(1, '\0'));
}

struct raw_server::state
{
    explicit state(script chosen) : serve(std::move(chosen)), url(url_of(acceptor)) {}

    script serve;
    asio::ip::tcp::acceptor acceptor = local_acceptor();
    std::string url;
    std::size_t connections = 0, open = 0;
};

raw_server::raw_server(script serve) : state_(std::make_shared<state>(std::move(serve)))
{
    asio::co_spawn(default_executor(), run(state_), asio::detached);
}

raw_server::raw_server(std::string answer) : raw_server(always(std::move(answer))) {}

raw_server::~raw_server()
{
    state_->acceptor.close();
}

std::string raw_server::url(const std::string& target) const
{
    return state_->url + target;
}

std::size_t raw_server::connections() const
{
    return state_->connections;
}

std::size_t raw_server::open() const
{
    return state_->open;
}

task<> raw_server::run(std::shared_ptr<state> self)
{
    for (;;)
    {
        auto accepting = self->acceptor.async_accept(brood::detail::use_tuple);
        auto result = co_await std::move(accepting);
        if (std::get<0>(result))
            co_return;
        asio::co_spawn(self->acceptor.get_executor(), serve(self, std::move(std::get<1>(result))),
                       asio::detached);
    }
}

task<> raw_server::serve(std::shared_ptr<state> self, asio::ip::tcp::socket socket)
{
    raw_peer peer(std::move(socket), ++self->connections);
    ++self->open;
    auto serving = self->serve(peer);
    co_await std::move(serving);
    --self->open;
}

} // namespace brood::test
