// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>
#include <brood/process/signals.hpp>

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
    auto number = co_await core_->set().async_wait(asio::use_awaitable);
    co_return number;
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
