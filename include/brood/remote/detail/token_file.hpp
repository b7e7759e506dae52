// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>
#include <brood/remote/detail/secret.hpp>

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace brood::detail
{

inline constexpr auto token_variable = "BROOD_TOKEN_FILE";

/// The path that was given, or else that of the environment; empty without either.
inline std::string token_path(const std::string& given)
{
    auto named = std::getenv(token_variable);
    return given.empty() && named != nullptr ? named : given;
}

/// Reads the token of a file, white space around it is none of it. Throws std::system_error when it
/// cannot be read, and std::invalid_argument for what is no token.
inline secret read_token(const std::string& path)
{
    descriptor file(retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
    check(file.get(), "read the token file", path);
    std::array<char, 256> room{};
    auto count = retry([&] { return ::read(file.get(), room.data(), room.size()); });
    check(static_cast<int>(count), "read the token file", path);
    std::string_view text(room.data(), static_cast<std::size_t>(count));
    constexpr auto space = " \t\r\n";
    auto first = text.find_first_not_of(space);
    text = first == text.npos ? std::string_view() : text.substr(first);
    text = text.substr(0, text.find_last_not_of(space) + 1);
    auto token = secret_from_hex(text);
    if (!token)
        throw std::invalid_argument("brood: the token file '" + path +
                                    "' holds no token: 64 hexadecimal digits, as 'openssl rand "
                                    "-hex 32' prints them");
    return *token;
}

/// Makes the file, with a new token, for this user alone, when there is none; nobody ever finds
/// half of it. Throws std::system_error.
inline void make_token(const std::string& path)
{
    struct stat file = {};
    if (::stat(path.c_str(), &file) == 0 || errno != ENOENT)
        return; // whoever reads it is told what is wrong
    auto draft = path + ".XXXXXX";
    descriptor to(::mkostemp(draft.data(), O_CLOEXEC));
    check(to.get(), "make the token file", path);
    auto text = to_hex(random_secret()) + '\n';
    auto count = retry([&] { return ::write(to.get(), text.data(), text.size()); });
    auto made =
        count == static_cast<ssize_t>(text.size()) ? ::link(draft.c_str(), path.c_str()) : -1;
    auto reason = errno;
    ::unlink(draft.c_str());
    if (made == -1 && reason != EEXIST) // somebody else was faster
        throw_system_error(reason, "make the token file", path);
}

} // namespace brood::detail
