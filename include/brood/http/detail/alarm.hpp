// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/task.hpp>

#include <chrono>
#include <memory>
#include <system_error>
#include <utility>

namespace brood::http::detail
{

/// While it lives, calls something when the time has come, once; nothing when that is never.
class alarm
{
public:
    using clock = std::chrono::steady_clock;

    template <class Call>
    alarm(const asio::any_io_executor& executor, clock::time_point at, Call call)
    {
        if (at == clock::time_point::max())
            return;
        state_ = std::make_shared<state>(executor, at);
        state_->timer.async_wait(
            [state = state_, call = std::move(call)](std::error_code) mutable
            {
                // It may have been too late to cancel it.
                if (state->over)
                    return;
                state->rang = true;
                call();
            });
    }

    ~alarm()
    {
        if (!state_)
            return;
        state_->over = true;
        state_->timer.cancel();
    }

    alarm(const alarm&) = delete;
    alarm& operator=(const alarm&) = delete;

    bool rang() const noexcept { return state_ && state_->rang; }

private:
    struct state
    {
        state(const asio::any_io_executor& executor, clock::time_point at) : timer(executor, at) {}

        asio::steady_timer timer;
        bool over = false;
        bool rang = false;
    };

    std::shared_ptr<state> state_;
};

/// Operations that were cancelled end like others; this tells them apart, behind each of them.
inline void throw_when_cancelled(const asio::cancellation_state& state)
{
    if (state.cancelled() != asio::cancellation_type::none)
        throw std::system_error(asio::error::operation_aborted, "cancelled");
}

} // namespace brood::http::detail
