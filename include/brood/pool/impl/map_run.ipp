// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/detail/map_core.hpp>
#include <brood/pool/internal/map_run.hpp>

#include <utility>

namespace brood::detail
{

BROOD_INLINE map_run::map_run(asio::any_io_executor executor, chunk_runner runner,
                              const map_options& options, order told,
                              std::optional<std::uint64_t> total)
    : core_(
          std::make_shared<map_core>(std::move(executor), std::move(runner), options, told, total))
{
}

BROOD_INLINE map_run& map_run::operator=(map_run&& other) noexcept
{
    auto dropped = std::exchange(core_, std::move(other.core_));
    if (dropped && dropped != core_)
        dropped->abandon();
    return *this;
}

BROOD_INLINE map_run::~map_run()
{
    if (core_)
        core_->abandon();
}

BROOD_INLINE void map_run::start(task<> feeder)
{
    core_->start(std::move(feeder));
}

BROOD_INLINE std::optional<taken_item> take_item(map_core& from)
{
    return from.take();
}

BROOD_INLINE task<bool> item_ready(std::shared_ptr<map_core> from)
{
    return map_core::ready(std::move(from));
}

BROOD_INLINE progress progress_of(const map_core& of)
{
    return of.progress();
}

BROOD_INLINE chunk_writer& open_chunk(map_core& of)
{
    return of.open();
}

BROOD_INLINE bool item_added(map_core& to)
{
    return to.item_added();
}

BROOD_INLINE bool item_refused(map_core& to, std::exception_ptr why)
{
    return to.item_refused(std::move(why));
}

BROOD_INLINE task<> map_room(std::shared_ptr<map_core> of)
{
    return map_core::room(std::move(of));
}

BROOD_INLINE void end_of_items(map_core& of, std::exception_ptr thrown)
{
    of.end_of_items(std::move(thrown));
}

BROOD_INLINE std::exception_ptr failure_of(const map_core& of, const taken_item& taken,
                                           std::span<const std::byte> failure)
{
    return of.failure_of(taken, failure);
}

} // namespace brood::detail
