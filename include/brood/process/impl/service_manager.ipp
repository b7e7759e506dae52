// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>
#include <brood/process/service_manager.hpp>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace brood
{
namespace detail
{

BROOD_INLINE std::string take_variable(const char* name)
{
    auto value = std::getenv(name);
    std::string text = value != nullptr ? value : "";
    ::unsetenv(name);
    return text;
}

BROOD_INLINE std::optional<long long> positive_number(const std::string& text)
{
    long long value = 0;
    auto end = text.data() + text.size();
    auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc() || read.ptr != end || value <= 0)
        return std::nullopt;
    return value;
}

} // namespace detail

BROOD_INLINE service_manager::service_manager() : path_(detail::take_variable("NOTIFY_SOCKET"))
{
    auto microseconds = detail::positive_number(detail::take_variable("WATCHDOG_USEC"));
    auto whose = detail::positive_number(detail::take_variable("WATCHDOG_PID"));
    if (microseconds && (!whose || *whose == ::getpid()))
        watchdog_ = std::chrono::microseconds(*microseconds);
}

BROOD_INLINE void service_manager::reloading() const
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    auto microseconds = static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

BROOD_INLINE void service_manager::status(std::string_view line) const
{
    send("STATUS=" + std::string(line.substr(0, line.find('\n'))));
}

BROOD_INLINE void service_manager::send(const std::string& lines) const
{
    if (path_.empty())
        return;
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (path_.size() >= sizeof to.sun_path)
        throw_system_error(ENAMETOOLONG, "notify the service manager at", path_);
    std::memcpy(to.sun_path, path_.data(), path_.size());
    if (path_.front() == '@') // a name without a file
        to.sun_path[0] = '\0';
    auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    descriptor socket(check(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                            "open a socket for the service manager"));
    auto send_now = [&]
    {
        return ::sendto(socket.get(), lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                        reinterpret_cast<sockaddr*>(&to), size);
    };
    auto sent = retry(send_now);
    // One that does not read holds our loop up for this long, and no longer.
    for (int turns = 20; sent == -1 && errno == EAGAIN && turns != 0; --turns)
    {
        ::usleep(5'000);
        sent = retry(send_now);
    }
    check(sent, "notify the service manager at", path_);
}

BROOD_INLINE task<> service_manager::tell_alive(service_manager manager)
{
    while (manager && manager.watchdog_)
    {
        try
        {
            manager.send("WATCHDOG=1");
        }
        catch (const std::system_error& full)
        {
            if (full.code().value() != EAGAIN)
                throw;
        }
        co_await sleep(*manager.watchdog_ / 2);
    }
}

} // namespace brood
