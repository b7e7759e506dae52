// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/brood.hpp>

#include <asio/buffer.hpp>
#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <cstddef>
#include <iterator>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// What a server of NATS answers, or has for somebody.
struct nats_message
{
    std::string reply; ///< Where to answer; of a message from a queue, where it is acknowledged.
    std::string head;  ///< Its headers, "NATS/1.0 408 Request Timeout" say; mostly empty.
    std::string data;

    /// How often the queue has given it to somebody, this time included.
    unsigned deliveries() const
    {
        // $JS.ACK.<stream>.<consumer>.<deliveries>..., in later versions with two words before it.
        std::vector<std::string> words;
        std::istringstream text(reply);
        for (std::string word; std::getline(text, word, '.');)
            words.push_back(word);
        return static_cast<unsigned>(std::stoul(words.at(words.size() < 11 ? 4 : 6)));
    }
};

/// A connection to a server of NATS, as much of it as a queue needs: one request after the other.
///
/// Throws std::system_error when the connection fails, and std::runtime_error for what the server
/// refuses. Lines of text: https://docs.nats.io/reference/reference-protocols/nats-protocol
class nats
{
public:
    explicit nats(asio::any_io_executor executor) : socket_(std::move(executor)) {}

    /// `address` is "host:port".
    brood::task<> connect(std::string address)
    {
        auto colon = address.rfind(':');
        if (colon == std::string::npos)
            throw std::runtime_error(address + ": an address is host:port");
        asio::ip::tcp::resolver resolver(socket_.get_executor());
        auto found = co_await resolver.async_resolve(
            address.substr(0, colon), address.substr(colon + 1), asio::use_awaitable);
        co_await asio::async_connect(socket_, found, asio::use_awaitable);
        socket_.set_option(asio::ip::tcp::no_delay(true));
        co_await write("CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n");
    }

    /// Sends `data` to a subject, and waits for the answer.
    brood::task<nats_message> request(std::string subject, std::string data)
    {
        // A subscription of its own, for one message, whatever subject that has.
        auto number = std::to_string(++requests_);
        auto inbox = inbox_ + number;
        co_await write("SUB " + inbox + ' ' + number + "\r\nUNSUB " + number + " 1\r\nPUB " +
                       subject + ' ' + inbox + ' ' + std::to_string(data.size()) + "\r\n" + data +
                       "\r\n");
        for (;;)
        {
            auto words = co_await next_line();
            bool has_head = words[0] == "HMSG";
            if (words[0] == "PING") // it wants to know whether anybody is there
                co_await write("PONG\r\n");
            if (!has_head && words[0] != "MSG")
                continue;
            auto size = std::stoul(words.back());
            auto body = co_await take(size + 2); // a line end is behind it
            if (words.at(2) != number)
                continue; // what came too late for the one before
            auto head = has_head ? std::stoul(words.end()[-2]) : 0;
            nats_message answer;
            answer.reply = words.size() > (has_head ? 5 : 4) ? words[3] : "";
            answer.head = body.substr(0, head);
            answer.data = body.substr(head, size - head);
            if (answer.head.starts_with("NATS/1.0 503"))
                throw std::runtime_error(subject + ": nobody answers: nats-server needs -js");
            co_return answer;
        }
    }

private:
    brood::task<> write(std::string text)
    {
        co_await asio::async_write(socket_, asio::buffer(text), asio::use_awaitable);
    }

    /// The words of the next line: "MSG subject 1 reply 5".
    brood::task<std::vector<std::string>> next_line()
    {
        auto size = co_await asio::async_read_until(socket_, asio::dynamic_buffer(read_), "\r\n",
                                                    asio::use_awaitable);
        auto line = co_await take(size);
        if (line.starts_with("-ERR"))
            throw std::runtime_error("nats-server: " + line.substr(0, size - 2));
        std::istringstream text(line);
        std::vector<std::string> words{std::istream_iterator<std::string>(text), {}};
        if (words.empty())
            throw std::runtime_error("nats-server: an empty line");
        co_return words;
    }

    brood::task<std::string> take(std::size_t size)
    {
        if (read_.size() < size)
            co_await asio::async_read(socket_, asio::dynamic_buffer(read_),
                                      asio::transfer_at_least(size - read_.size()),
                                      asio::use_awaitable);
        auto result = read_.substr(0, size);
        read_.erase(0, size);
        co_return result;
    }

    asio::ip::tcp::socket socket_;
    std::string read_; // what has come and was not taken
    // Nobody else may have it: answers to it are for this connection.
    std::string inbox_ = "_INBOX." + std::to_string(std::random_device()()) + '.' +
                         std::to_string(std::random_device()()) + '.';
    std::size_t requests_ = 0;
};
