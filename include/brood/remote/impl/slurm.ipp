// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/detail/by_slurm.hpp>
#include <brood/remote/slurm.hpp>

#include <utility>

namespace brood
{

BROOD_INLINE std::shared_ptr<launcher> slurm(const slurm_options& options,
                                             const slurm_settings& settings)
{
    options.check();
    auto held = std::make_shared<detail::held_allocation>(options);
    return std::make_shared<detail::by_slurm>(std::move(held), options, settings);
}

} // namespace brood
