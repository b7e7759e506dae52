// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/os/user.hpp>

#include <cerrno>
#include <cstddef>
#include <pwd.h>
#include <string>
#include <sys/types.h>
#include <vector>

namespace brood::os::detail
{

inline std::string text_or_empty(const char* text)
{
    return text != nullptr ? text : "";
}

/// Looks a user up, at first with this much memory for the texts of the entry. How much they need
/// is not known before: sysconf(_SC_GETPW_R_SIZE_MAX) is a suggestion only.
inline user find_user(uid_t uid, std::size_t room)
{
    for (std::vector<char> texts(room);;)
    {
        passwd entry{};
        passwd* found = nullptr;
        int failure = ::getpwuid_r(uid, &entry, texts.data(), texts.size(), &found);
        if (found != nullptr)
            return {text_or_empty(found->pw_name), found->pw_uid, found->pw_gid,
                    text_or_empty(found->pw_shell), text_or_empty(found->pw_dir)};
        // Some systems report a missing entry as an error: getpwuid(3) lists which.
        if (failure == 0 || failure == ENOENT || failure == ESRCH)
            throw_system_error(ENOENT, "look up user " + std::to_string(uid),
                               "in the user database: it has no such entry");
        if (failure == ERANGE)
            texts.resize(texts.size() * 2);
        else if (failure != EINTR)
            throw_system_error(failure, "look up user", std::to_string(uid));
    }
}

} // namespace brood::os::detail
