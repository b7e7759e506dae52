// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio_net.hpp>

#include <asio/local/datagram_protocol.hpp>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>

namespace brood::test
{

/// A service manager that hears what is said to it: the next brood::service_manager of this
/// process, or of a child that is started meanwhile, speaks to it.
class notified_manager
{
public:
    explicit notified_manager(std::string path) : path_(std::move(path))
    {
        auto name = path_;
        if (name.front() == '@')
            name.front() = '\0';
        socket_.open();
        socket_.bind(asio::local::datagram_protocol::endpoint(name));
        ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
    }

    ~notified_manager()
    {
        for (auto name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
            ::unsetenv(name);
    }

    notified_manager(const notified_manager&) = delete;
    notified_manager& operator=(const notified_manager&) = delete;

    /// The next that was said; waits for it.
    std::string heard()
    {
        std::array<char, 512> bytes{};
        auto count = socket_.receive(asio::buffer(bytes));
        return {bytes.data(), count};
    }

    /// Whether all that was said has been heard.
    bool has_heard_all() { return socket_.available() == 0; }

private:
    asio::io_context loop_;
    asio::local::datagram_protocol::socket socket_{loop_};
    std::string path_;
};

} // namespace brood::test
