// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/host_list.hpp>

#include <string>
#include <string_view>

namespace brood
{

/// Why ssh could not run a program, and what to do about it: "host n1: it asks for a password, and
/// nobody is there to type it: ... (me@n1: Permission denied (publickey,password).)".
///
/// `code` is what ssh ended with, `err` what it and the program printed to stderr, of which the
/// last lines count. Empty when they say nothing that ssh or the shell of the host would: then it
/// was the program that ended. Texts are those of OpenSSH 8 to 9.
std::string ssh_failure(const remote_host& host, int code, std::string_view err);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/ssh_failure.ipp>
#endif
