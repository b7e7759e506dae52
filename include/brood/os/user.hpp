// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <pwd.h>
#include <string>
#include <sys/types.h>
#include <unistd.h>
#include <vector>

namespace brood::os
{

/// What the user database says of a user.
struct user
{
    std::string username;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string shell;   ///< The login shell; empty when the entry names none.
    std::string homedir; ///< What the entry says, whatever $HOME says: see homedir().
};

/// The user this process acts as: the one of its effective user id.
///
/// Throws as the one below.
/// Follows Node's os.userInfo(): https://nodejs.org/api/os.html#osuserinfooptions
user user_info();

/// The user with this id.
///
/// Throws std::system_error: ENOENT when the database has no entry for it, as is common in
/// containers that run under any id; else what getpwuid_r(3) failed with. Asks the database that
/// the system is set up for, which may be across a network, and blocks meanwhile.
user user_info(uid_t uid);

/// The home directory of the user: $HOME, or the one in the database when that is unset or empty.
///
/// Throws as user_info() when it must ask the database.
/// Follows Node's os.homedir(): https://nodejs.org/api/os.html#oshomedir
std::string homedir();

/// The directory for temporary files: the first of $TMPDIR, $TMP and $TEMP that is not empty,
/// without a slash at its end, else "/tmp". Whether it exists is not checked.
///
/// Follows Node's os.tmpdir(): https://nodejs.org/api/os.html#ostmpdir
std::string tmpdir();

namespace detail
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

} // namespace detail

inline user user_info()
{
    return user_info(::geteuid());
}

inline user user_info(uid_t uid)
{
    return detail::find_user(uid, 1024);
}

inline std::string homedir()
{
    auto home = detail::text_or_empty(std::getenv("HOME"));
    return home.empty() ? user_info().homedir : home;
}

inline std::string tmpdir()
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
