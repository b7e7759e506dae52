// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asio/io_context.hpp>
#include <asio/local/datagram_protocol.hpp>

#include <string>

namespace brood::test
{

/// A service manager that hears what is said to it: the next brood::service_manager of this
/// process, or of a child that is started meanwhile, speaks to it.
class notified_manager
{
public:
    explicit notified_manager(std::string path);

    ~notified_manager();

    notified_manager(const notified_manager&) = delete;
    notified_manager& operator=(const notified_manager&) = delete;

    /// The next that was said; waits for it.
    std::string heard();

    /// Whether all that was said has been heard.
    bool has_heard_all() { return socket_.available() == 0; }

private:
    asio::io_context loop_;
    asio::local::datagram_protocol::socket socket_{loop_};
    std::string path_;
};

} // namespace brood::test
