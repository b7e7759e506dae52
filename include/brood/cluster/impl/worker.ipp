// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/worker.hpp>

#include <charconv>

namespace brood
{

BROOD_INLINE std::uint64_t worker::id() const noexcept
{
    return record_->id;
}

BROOD_INLINE std::size_t worker::slot() const noexcept
{
    return record_->slot;
}

BROOD_INLINE pid_t worker::pid() const
{
    return record_->process.pid();
}

BROOD_INLINE std::string worker::host() const
{
    return detail::host_of(*record_);
}

BROOD_INLINE worker_state worker::state() const noexcept
{
    return record_->state;
}

BROOD_INLINE bool worker::connected() const noexcept
{
    return record_->process.connected();
}

BROOD_INLINE const std::vector<std::string>& worker::listening_at() const noexcept
{
    return record_->listening_at;
}

BROOD_INLINE std::uint16_t worker::port() const
{
    std::uint16_t result = 0;
    if (record_->listening_at.empty())
        return result;
    auto& at = record_->listening_at.front();
    auto colon = at.rfind(':');
    auto end = at.data() + at.size();
    if (colon == std::string::npos || at.find('/') != std::string::npos)
        return result;
    return std::from_chars(at.data() + colon + 1, end, result).ptr == end ? result : 0;
}

BROOD_INLINE forked_process& worker::process() const noexcept
{
    return record_->process;
}

BROOD_INLINE std::vector<descriptor> worker::undelivered() const
{
    return process() ? process().undelivered() : std::vector<descriptor>(); // it never started
}

BROOD_INLINE bool worker::kill(int signal) const
{
    return process().kill(signal);
}

BROOD_INLINE void worker::disconnect() const
{
    process().disconnect();
}

BROOD_INLINE task<exit_info> worker::stop() const
{
    if (record_->stop)
        record_->stop();
    return detail::worker_core::wait_end(record_);
}

BROOD_INLINE task<exit_info> worker::stop(const stop_policy& how) const
{
    if (record_->hasten)
        record_->hasten(how);
    return detail::worker_core::wait_end(record_);
}

BROOD_INLINE task<bool> worker::ready() const
{
    return detail::worker_core::wait_ready(record_);
}

BROOD_INLINE task<exit_info> worker::exit() const
{
    return detail::worker_core::wait_end(record_);
}

BROOD_INLINE std::optional<exit_info> worker::ended() const
{
    return record_->ended.peek();
}

} // namespace brood
