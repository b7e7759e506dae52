// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <utility>

namespace brood::detail
{

/// Whether a worker still takes what comes to a socket of its own: shared by the socket and by who
/// hears that the worker is to end.
class receiving
{
public:
    bool is_over() const noexcept { return is_over_; }

    /// What cancels the waits of the socket, wherever that has been moved; null once it has gone.
    void on_end(std::function<void()> cancel) noexcept { cancel_ = std::move(cancel); }

    /// Nothing is taken from here on.
    void end()
    {
        is_over_ = true;
        if (auto cancel = std::exchange(cancel_, nullptr))
            cancel();
    }

private:
    bool is_over_ = false;
    std::function<void()> cancel_;
};

} // namespace brood::detail
