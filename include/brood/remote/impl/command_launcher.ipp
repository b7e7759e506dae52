// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/command_launcher.hpp>
#include <brood/remote/detail/by_command.hpp>

namespace brood
{

BROOD_INLINE std::shared_ptr<launcher> launch_by(const command_options& options)
{
    options.check();
    return std::make_shared<detail::by_command>(options);
}

} // namespace brood
