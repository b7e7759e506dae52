// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace brood
{

/// How a cluster or a supervisor learns that a worker can be given work: one choice, made by a
/// named constructor.
class readiness
{
public:
    enum class kind
    {
        automatic,
        said,
        running,
        after,
        accepting,
        printing,
        notified,
    };

    /// A function says so: by process::ready(), or by waiting for a message or a connection. So
    /// does a program that uses brood; one that has not opened its channel after a second does not,
    /// and is ready because it runs. That it returns 0 before is no failure.
    readiness() noexcept = default;

    static readiness automatic() noexcept { return {}; }

    /// It says so, however long that takes: for a program that loads before it calls brood::run().
    static readiness said() noexcept { return readiness(kind::said); }

    /// As soon as it is started.
    static readiness running() noexcept { return readiness(kind::running); }

    /// When it has run for so long.
    static readiness after(std::chrono::milliseconds time) noexcept
    {
        readiness result(kind::after);
        result.time_ = time;
        return result;
    }

    /// When a TCP port of this machine accepts: it is connected to, ten times a second, until then.
    static readiness accepting(std::uint16_t port, std::string address = "127.0.0.1")
    {
        readiness result(kind::accepting);
        result.port_ = port;
        result.text_ = std::move(address);
        return result;
    }

    /// When it prints a line that has this text in it. Its output must be read or printed.
    static readiness printing(std::string text)
    {
        readiness result(kind::printing);
        result.text_ = std::move(text);
        return result;
    }

    /// When it, or a process that it has started, sends READY=1 to the socket that is named by
    /// NOTIFY_SOCKET in its environment: as programs say it to systemd, and
    /// service_manager::ready() does. Nobody else is believed, on Linux. Follows sd_notify(3):
    /// https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
    static readiness notified() noexcept { return readiness(kind::notified); }

    kind what() const noexcept { return kind_; }

    std::chrono::milliseconds time() const noexcept { return time_; }

    std::uint16_t port() const noexcept { return port_; }

    /// The address, or what is printed.
    const std::string& text() const noexcept { return text_; }

    friend bool operator==(const readiness&, const readiness&) = default;

private:
    explicit readiness(kind what) noexcept : kind_(what) {}

    kind kind_ = kind::automatic;
    std::chrono::milliseconds time_{0};
    std::uint16_t port_ = 0;
    std::string text_;
};

/// What a worker did not do that was not ready in time: "nobody accepted at port 80 of
/// 127.0.0.1".
std::string what_was_missing(const readiness& how);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/cluster/impl/readiness.ipp>
#endif
