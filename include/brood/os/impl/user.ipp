// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/os/detail/find_user.hpp>
#include <brood/os/user.hpp>

#include <cstdlib>
#include <string>
#include <sys/types.h>
#include <unistd.h>

namespace brood::os
{

BROOD_INLINE user user_info()
{
    return user_info(::geteuid());
}

BROOD_INLINE user user_info(uid_t uid)
{
    return detail::find_user(uid, 1024);
}

BROOD_INLINE std::string homedir()
{
    auto home = detail::text_or_empty(std::getenv("HOME"));
    return home.empty() ? user_info().homedir : home;
}

BROOD_INLINE std::string tmpdir()
{
    for (auto name : {"TMPDIR", "TMP", "TEMP"})
    {
        auto path = detail::text_or_empty(std::getenv(name));
        if (path.empty())
            continue;
        if (path.size() > 1 && path.ends_with('/'))
            path.pop_back();
        return path;
    }
    return "/tmp";
}

} // namespace brood::os
