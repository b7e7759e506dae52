// SPDX-License-Identifier: BSL-1.0
#include "support/notified_manager.hpp"

#include <array>
#include <cstdlib>
#include <utility>

namespace brood::test
{

notified_manager::notified_manager(std::string path) : path_(std::move(path))
{
    auto name = path_;
    if (name.front() == '@')
        name.front() = '\0';
    socket_.open();
    socket_.bind(asio::local::datagram_protocol::endpoint(name));
    ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
}

notified_manager::~notified_manager()
{
    for (auto name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
        ::unsetenv(name);
}

std::string notified_manager::heard()
{
    std::array<char, 512> bytes{};
    auto count = socket_.receive(asio::buffer(bytes));
    return {bytes.data(), count};
}

} // namespace brood::test
