// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/detail/ssh_complaint.hpp>
#include <brood/remote/ssh_failure.hpp>

#include <string>
#include <string_view>

namespace brood
{

BROOD_INLINE std::string ssh_failure(const remote_host& host, int code, std::string_view err)
{
    auto found = detail::ssh_complaint(code, err);
    return found ? "host " + to_string(host) + ": " + *found : std::string();
}

} // namespace brood
