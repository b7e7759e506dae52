// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>
#include <brood/process/signals.hpp>

#include <optional>
#include <system_error>
#include <utility>

namespace brood
{
namespace detail
{

class signals_core
{
public:
    signals_core(asio::any_io_executor executor, const std::vector<int>& numbers)
        : set_(std::move(executor))
    {
        for (int number : numbers)
            set_.add(number);
    }

    asio::signal_set& set() noexcept { return set_; }

    /// One that came when the wait for it was cancelled, for the next wait.
    std::optional<int> missed;

private:
    asio::signal_set set_;
};

} // namespace detail

BROOD_INLINE signals::signals(asio::any_io_executor executor, const std::vector<int>& numbers)
    : core_(std::make_unique<detail::signals_core>(std::move(executor), numbers))
{
}

BROOD_INLINE signals::signals(const std::vector<int>& numbers)
    : signals(default_executor(), numbers)
{
}

BROOD_INLINE signals::signals(signals&&) noexcept = default;
BROOD_INLINE signals& signals::operator=(signals&&) noexcept = default;
BROOD_INLINE signals::~signals() = default;

BROOD_INLINE task<int> signals::next()
{
    if (core_->missed)
        co_return *std::exchange(core_->missed, std::nullopt);
    auto number = co_await core_->set().async_wait(asio::use_awaitable);
    auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() == asio::cancellation_type::none)
        co_return number;
    core_->missed = number; // under || what a loser gives is lost
    throw std::system_error(asio::error::operation_aborted, "wait for a signal");
}

BROOD_INLINE void signals::wait_then(std::function<void()> call)
{
    core_->set().async_wait(
        [call = std::move(call)](std::error_code failed, int)
        {
            if (!failed)
                call();
        });
}

} // namespace brood
