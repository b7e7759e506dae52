// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/detail/by_ssh.hpp>
#include <brood/remote/ssh.hpp>

#include <stdexcept>

namespace brood
{

BROOD_INLINE std::shared_ptr<launcher> ssh(const host_list& hosts, const ssh_settings& settings)
{
    settings.options.check();
    if (hosts.empty())
        throw std::invalid_argument("brood: workers over ssh need a host");
    if (settings.deploy && settings.deploy->copy && !settings.program.empty())
        throw std::invalid_argument(
            "brood: workers over ssh: a program that is copied has a path of "
            "its own there: leave `program` empty");
    return std::make_shared<detail::by_ssh>(hosts, settings);
}

} // namespace brood
