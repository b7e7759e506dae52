// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>

#include <chrono>
#include <optional>
#include <sys/types.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace brood::detail
{

/// Finds out whether the process at the other end of a link has ended, when its stream broke off:
/// one that is ended while it sends breaks off in a frame, and one that lives must not.
class exit_watch
{
public:
    explicit exit_watch(asio::any_io_executor executor) : timer_(std::move(executor)) {}

    /// Somebody will say when it has ended: until then, or for a second, that is open.
    void expect_word() noexcept { somebody_says_ = true; }

    /// Nobody but that process holds the other end, and it closes it by ending alone.
    void take_end_for_exit() noexcept { end_is_exit_ = true; }

    /// It is our parent: when it has ended, we have another one.
    void expect_other_parent() noexcept { parent_ = ::getppid(); }

    /// Calls `found(has_ended)`, perhaps inside this call, and at the latest after a second, unless
    /// it was cancelled. What it holds must keep this alive.
    template <class Found>
    void ask(Found found)
    {
        if (end_is_exit_)
            return found(true);
        auto open = somebody_says_ || parent_;
        look(clock::now() + (open ? longest : clock::duration::zero()), std::move(found));
    }

    /// Nobody needs to know any more. It may still be called in this turn of the loop.
    void cancel() { timer_.cancel(); }

private:
    using clock = std::chrono::steady_clock;

    template <class Found>
    void look(clock::time_point limit, Found found)
    {
        if (parent_ && ::getppid() != *parent_)
            return found(true);
        auto now = clock::now();
        if (now >= limit)
            return found(false);
        timer_.expires_at(parent_ ? now + between_looks : limit);
        timer_.async_wait(
            [this, limit, found = std::move(found)](std::error_code cancelled) mutable
            {
                if (!cancelled)
                    look(limit, std::move(found));
            });
    }

    // The kernel closes the sockets of a process a little before its children get another parent.
    static constexpr std::chrono::milliseconds between_looks{2};
    static constexpr std::chrono::seconds longest{1};

    asio::steady_timer timer_;
    bool somebody_says_ = false;
    bool end_is_exit_ = false;
    std::optional<pid_t> parent_;
};

} // namespace brood::detail
