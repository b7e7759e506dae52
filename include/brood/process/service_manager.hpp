// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

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
    service_manager();

    /// Whether there is one.
    explicit operator bool() const noexcept { return !path_.empty(); }

    /// We can be given work: at the start, and after reloading().
    void ready() const { send("READY=1"); }

    /// We read our configuration again, and say ready() after it.
    void reloading() const;

    /// We are about to end.
    void stopping() const { send("STOPPING=1"); }

    /// A line for people: what `systemctl status` shows.
    void status(std::string_view line) const;

    /// How often it wants to hear that we live, if it does.
    std::optional<std::chrono::microseconds> watchdog() const noexcept { return watchdog_; }

    /// Says so twice as often, for as long as the loop runs and this is not cancelled. Returns at
    /// once when nobody wants to hear it.
    task<> keep_alive() const { return tell_alive(*this); }

    /// Sends lines `NAME=value`. Throws std::system_error when the manager is gone.
    void send(const std::string& lines) const;

private:
    static task<> tell_alive(service_manager manager);

    std::string path_;
    std::optional<std::chrono::microseconds> watchdog_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/service_manager.ipp>
#endif
