// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/detail/known_failure.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace brood::detail
{

/// Of ssh itself, code 255. The more special ones first.
inline constexpr std::array ssh_failures{
    known_failure{"Could not resolve hostname",
                  "its name does not resolve: check it, or name its address in ~/.ssh/config"},
    known_failure{"REMOTE HOST IDENTIFICATION HAS CHANGED",
                  "its key is not the one that is known: if that is right, forget the old one by "
                  "ssh-keygen -R, and log in once by hand"},
    known_failure{"Host key verification failed",
                  "its key is not known, and nobody is there to say yes: log in once by hand, or "
                  "collect keys by ssh-keyscan"},
    known_failure{"Permission denied (",
                  "it takes no key of ours and would ask for a password, which nobody is there to "
                  "type: ssh-copy-id takes a key there, ssh-add shows it to ssh"},
    known_failure{"Too many authentication failures",
                  "the agent offers too many keys: name the right one in ~/.ssh/config by "
                  "IdentityFile and IdentitiesOnly"},
    known_failure{"Exceeded MaxStartups",
                  "too many log in at once: lower logins_at_once, or raise MaxStartups there"},
    known_failure{"Connection refused",
                  "nobody listens at the port of its sshd: is it running, and is the port right?"},
    known_failure{"No route to host", "no network leads there"},
    known_failure{"Network is unreachable", "no network leads there"},
    known_failure{"Connection timed out",
                  "it does not answer: is it on, and does a firewall let ssh through?"},
    known_failure{"timed out",
                  "it does not answer: is it on, and does a firewall let ssh through?"},
    known_failure{"Session open refused by peer",
                  "no further session fits into the shared connection: lower "
                  "sessions_per_connection to MaxSessions of its sshd"},
    known_failure{"remote port forwarding failed",
                  "its sshd opens no way back: AllowTcpForwarding is off there, or the port is "
                  "taken; let workers connect directly"},
    known_failure{"Could not request local forwarding",
                  "a LocalForward of ~/.ssh/config is for one login alone: take it out for this "
                  "host"},
    known_failure{"kex_exchange_identification",
                  "its sshd hung up before the login: too many at once (MaxStartups), or it does "
                  "not want this machine"},
    known_failure{"Bad configuration option", "ssh does not understand its configuration"},
    known_failure{"Bad owner or permissions", "ssh does not trust its configuration"},
    known_failure{"Timeout, server", "the connection was lost: it did not answer any more"},
    known_failure{"closed by remote host", "the connection was lost: its sshd closed it"},
    known_failure{"Broken pipe", "the connection was lost"},
    known_failure{"Connection reset by", "the connection was lost: it was reset"},
    known_failure{"Connection closed by", "the connection was lost: it was closed"},
    known_failure{"client_loop:", "the connection was lost"},
    known_failure{"mux_client_", "the shared connection was lost"},
    known_failure{"ssh: ", "ssh could not reach it"},
};

/// Of the shell there, codes 125 to 127.
inline constexpr std::array shell_failures{
    known_failure{"Exec format error",
                  "the program there is for another architecture: build it there, or for it"},
    known_failure{"cannot execute binary file",
                  "the program there is for another architecture: build it there, or for it"},
    known_failure{"error while loading shared libraries",
                  "a library of the program is missing there: install it, or link it statically"},
    known_failure{"GLIBC", "the program was built for a newer system than the one there: build it "
                           "on the oldest, or link it statically"},
    known_failure{"Permission denied", "the program there may not be executed: chmod +x, and no "
                                       "noexec where it lies"},
    known_failure{"not found",
                  "the program is not there: install it at the same path, or let it be copied"},
    known_failure{"No such file or directory",
                  "the program is not there: install it at the same path, or let it be copied"},
    known_failure{"cd: ", "the directory to start in cannot be entered there"},
};

/// What is wrong, and what ssh or the shell there said; nothing when neither said anything.
inline std::optional<std::string> ssh_complaint(int code, std::string_view err)
{
    // What a program printed before matters no more than it must.
    constexpr std::size_t last = 4'096;
    err = err.substr(err.size() > last ? err.size() - last : 0);
    if (code == 255)
        return find_failure(ssh_failures, err);
    if (code >= 125 && code <= 127)
        return find_failure(shell_failures, err);
    return std::nullopt;
}

} // namespace brood::detail
