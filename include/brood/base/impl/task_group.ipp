// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/task_group_core.hpp>
#include <brood/base/loop.hpp>
#include <brood/base/task_group.hpp>

#include <stdexcept>

namespace brood
{

BROOD_INLINE task_group::task_group(std::size_t at_most) : task_group(default_executor(), at_most)
{
}

BROOD_INLINE task_group::task_group(asio::any_io_executor executor, std::size_t at_most)
    : core_(std::make_shared<detail::task_group_core>(std::move(executor), at_most))
{
    if (at_most == 0)
        throw std::invalid_argument("brood: a task_group of at most 0 members would never end");
}

BROOD_INLINE task_group& task_group::operator=(task_group&& other) noexcept
{
    auto dropped = std::exchange(core_, std::move(other.core_));
    if (dropped && dropped != core_)
        dropped->cancel();
    return *this;
}

BROOD_INLINE task_group::~task_group()
{
    if (core_)
        core_->cancel();
}

BROOD_INLINE void task_group::start(task<> member)
{
    core_->start(std::move(member));
}

BROOD_INLINE task<> task_group::join()
{
    return detail::task_group_core::join(core_);
}

BROOD_INLINE task<> task_group::room()
{
    return detail::task_group_core::room(core_);
}

BROOD_INLINE void task_group::cancel()
{
    core_->cancel();
}

BROOD_INLINE std::size_t task_group::running() const noexcept
{
    return core_->running();
}

BROOD_INLINE std::size_t task_group::waiting() const noexcept
{
    return core_->waiting();
}

} // namespace brood
