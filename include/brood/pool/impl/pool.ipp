// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/pool/detail/pool_core.hpp>
#include <brood/pool/pool.hpp>

namespace brood
{
namespace detail
{

BROOD_INLINE task<reload_report> reload_pool(std::shared_ptr<pool_core> core,
                                             reload_options options)
{
    auto report = co_await core->workers().reload(options);
    co_return report;
}

} // namespace detail

BROOD_INLINE any_pool::any_pool(asio::any_io_executor executor, const pool_settings& settings,
                                detail::pool_function function)
{
    settings.check();
    core_ = std::make_shared<detail::pool_core>(executor, settings, std::move(function));
    if (settings.when == pool_settings::start::at_once)
        core_->start();
}

BROOD_INLINE any_pool::any_pool(any_pool&&) noexcept = default;

BROOD_INLINE any_pool& any_pool::operator=(any_pool&& other) noexcept
{
    std::swap(core_, other.core_);
    any_pool(std::move(other)).abandon();
    return *this;
}

BROOD_INLINE any_pool::~any_pool()
{
    abandon();
}

BROOD_INLINE void any_pool::abandon() noexcept
{
    auto last = std::exchange(core_, nullptr);
    if (!last || last->loop_has_ended())
        return;
    last->close(std::make_exception_ptr(
        error(errc::closed, "the pool was destroyed before this call had its result")));
    if (last->has_started())
        asio::co_spawn(last->executor(), detail::pool_core::stop(last), asio::detached);
}

BROOD_INLINE asio::any_io_executor any_pool::executor() const
{
    return core_->executor();
}

BROOD_INLINE std::size_t any_pool::size() const noexcept
{
    return core_->size();
}

BROOD_INLINE task<bool> any_pool::ready()
{
    return detail::pool_core::ready(core_);
}

BROOD_INLINE pool_stats any_pool::stats() const
{
    return core_->stats();
}

BROOD_INLINE event_stream any_pool::events()
{
    return core_->workers().events();
}

BROOD_INLINE progress any_pool::progress() const
{
    return core_->progress();
}

BROOD_INLINE task<reload_report> any_pool::reload(const reload_options& options)
{
    return detail::reload_pool(core_, options);
}

BROOD_INLINE task<> any_pool::scale(std::size_t size)
{
    return detail::pool_core::scale(core_, size);
}

BROOD_INLINE task<> any_pool::finish()
{
    return detail::pool_core::finish(core_);
}

BROOD_INLINE task<> any_pool::stop()
{
    return detail::pool_core::stop(core_);
}

} // namespace brood
