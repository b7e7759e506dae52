// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>
#include <brood/base/task.hpp>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace brood
{

/// What started this process as a service, and wants to hear how it is: systemd, or who speaks as
/// it does. Without one, everything here does nothing.
///
/// Takes the variables NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment, so
/// that no child speaks for us: make it before there are threads, and before the children. Follows
/// sd_notify(3): https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
class service_manager
{
public:
    service_manager() : path_(take("NOTIFY_SOCKET"))
    {
        auto microseconds = number(take("WATCHDOG_USEC"));
        auto whose = number(take("WATCHDOG_PID"));
        if (microseconds && (!whose || *whose == ::getpid()))
            watchdog_ = std::chrono::microseconds(*microseconds);
    }

    /// Whether there is one.
    explicit operator bool() const noexcept { return !path_.empty(); }

    /// We can be given work: at the start, and after reloading().
    void ready() const { send("READY=1"); }

    /// We read our configuration again, and say ready() after it.
    void reloading() const
    {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        auto microseconds = static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
        send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
    }

    /// We are about to end.
    void stopping() const { send("STOPPING=1"); }

    /// A line for people: what `systemctl status` shows.
    void status(std::string_view line) const
    {
        send("STATUS=" + std::string(line.substr(0, line.find('\n'))));
    }

    /// How often it wants to hear that we live, if it does.
    std::optional<std::chrono::microseconds> watchdog() const noexcept { return watchdog_; }

    /// Says so twice as often, for as long as the loop runs and this is not cancelled. Returns at
    /// once when nobody wants to hear it.
    task<> keep_alive() const { return tell_alive(*this); }

    /// Sends lines `NAME=value`. Throws std::system_error when the manager is gone.
    void send(const std::string& lines) const
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
        check(retry(
                  [&]
                  {
                      return ::sendto(socket.get(), lines.data(), lines.size(), MSG_NOSIGNAL,
                                      reinterpret_cast<sockaddr*>(&to), size);
                  }),
              "notify the service manager at", path_);
    }

private:
    static std::string take(const char* name)
    {
        auto value = std::getenv(name);
        std::string text = value != nullptr ? value : "";
        ::unsetenv(name);
        return text;
    }

    static std::optional<long long> number(const std::string& text)
    {
        long long value = 0;
        auto end = text.data() + text.size();
        auto read = std::from_chars(text.data(), end, value);
        if (read.ec != std::errc() || read.ptr != end || value <= 0)
            return std::nullopt;
        return value;
    }

    static task<> tell_alive(service_manager manager)
    {
        while (manager && manager.watchdog_)
        {
            manager.send("WATCHDOG=1");
            co_await sleep(*manager.watchdog_ / 2);
        }
    }

    std::string path_;
    std::optional<std::chrono::microseconds> watchdog_;
};

} // namespace brood
