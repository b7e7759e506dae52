// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/detail/by_slurm.hpp>
#include <brood/remote/slurm.hpp>

#include <stdexcept>
#include <utility>

namespace brood
{
namespace detail
{

inline void check_slurm(const slurm_options& options, const slurm_settings& settings)
{
    options.check();
    if (settings.sent_to.empty())
        return;
    if (settings.sent_to.front() != '/')
        throw std::invalid_argument("brood: workers by Slurm: " + settings.sent_to +
                                    " is no absolute path to send the program to");
    if (!settings.program.empty())
        throw std::invalid_argument("brood: workers by Slurm: a program that is sent has a path of "
                                    "its own there: leave `program` empty");
}

} // namespace detail

BROOD_INLINE std::shared_ptr<launcher> slurm(const slurm_options& options,
                                             const slurm_settings& settings)
{
    detail::check_slurm(options, settings);
    auto held = std::make_shared<detail::held_allocation>(options);
    return std::make_shared<detail::by_slurm>(std::move(held), options, settings);
}

BROOD_INLINE task<std::shared_ptr<launcher>> slurm_granted(slurm_options options,
                                                           slurm_settings settings)
{
    detail::check_slurm(options, settings);
    auto held = co_await detail::held_allocation::when_granted(options);
    co_return std::make_shared<detail::by_slurm>(std::move(held), options, settings);
}

BROOD_INLINE task<std::shared_ptr<launcher>> slurm_granted(slurm_options options)
{
    return slurm_granted(std::move(options), slurm_settings());
}

} // namespace brood
