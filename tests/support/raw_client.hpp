// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/loop.hpp>
#include <brood/base/task.hpp>

#include <asio/local/stream_protocol.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace brood::test
{

/// A response as bytes, and what its first line and its headers say.
struct raw_response
{
    int status = 0;
    std::string head; ///< With the empty line behind it.
    std::string body;

    std::optional<std::string> header(std::string_view name) const;
};

/// A client that sends whatever bytes it likes.
class raw_client
{
public:
    using socket_type = asio::local::stream_protocol::socket;

    /// Connects to a server by adopt(), without a port.
    template <class Server>
    explicit raw_client(Server& server, asio::any_io_executor executor = default_executor())
        : socket_(executor)
    {
        server.adopt(connect_pair());
    }

    socket_type& socket() noexcept { return socket_; }

    task<> send(std::string text);

    void end() { socket_.shutdown(socket_type::shutdown_send); }

    void close() { socket_.close(); }

    /// Reads one response by its length or its chunks; to the end of the connection when it says
    /// neither. `to_head`: there is no body. Nothing when the connection ends before it.
    task<std::optional<raw_response>> response(bool to_head = false);

    /// All until the server closes.
    task<std::string> read_all();

    /// Whether the server closes, without a word.
    task<bool> ends();

private:
    /// The other end of the connection.
    socket_type connect_pair();

    task<bool> read_some();
    task<std::optional<std::string>> read_until(std::string mark);
    task<std::string> read_exactly(std::size_t count);
    task<std::string> read_chunks();
    std::string take(std::size_t count);

    socket_type socket_;
    std::string read_;
};

} // namespace brood::test
