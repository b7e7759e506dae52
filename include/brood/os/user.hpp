// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <string>
#include <sys/types.h>

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

} // namespace brood::os

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/os/impl/user.ipp>
#endif
