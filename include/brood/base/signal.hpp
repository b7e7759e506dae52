// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <array>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace brood
{
namespace detail
{

inline constexpr std::array signal_names{
    std::pair{SIGHUP, "SIGHUP"},       std::pair{SIGINT, "SIGINT"},
    std::pair{SIGQUIT, "SIGQUIT"},     std::pair{SIGILL, "SIGILL"},
    std::pair{SIGTRAP, "SIGTRAP"},     std::pair{SIGABRT, "SIGABRT"},
    std::pair{SIGBUS, "SIGBUS"},       std::pair{SIGFPE, "SIGFPE"},
    std::pair{SIGKILL, "SIGKILL"},     std::pair{SIGUSR1, "SIGUSR1"},
    std::pair{SIGSEGV, "SIGSEGV"},     std::pair{SIGUSR2, "SIGUSR2"},
    std::pair{SIGPIPE, "SIGPIPE"},     std::pair{SIGALRM, "SIGALRM"},
    std::pair{SIGTERM, "SIGTERM"},     std::pair{SIGCHLD, "SIGCHLD"},
    std::pair{SIGCONT, "SIGCONT"},     std::pair{SIGSTOP, "SIGSTOP"},
    std::pair{SIGTSTP, "SIGTSTP"},     std::pair{SIGTTIN, "SIGTTIN"},
    std::pair{SIGTTOU, "SIGTTOU"},     std::pair{SIGURG, "SIGURG"},
    std::pair{SIGXCPU, "SIGXCPU"},     std::pair{SIGXFSZ, "SIGXFSZ"},
    std::pair{SIGVTALRM, "SIGVTALRM"}, std::pair{SIGPROF, "SIGPROF"},
    std::pair{SIGWINCH, "SIGWINCH"},   std::pair{SIGIO, "SIGIO"},
    std::pair{SIGSYS, "SIGSYS"},
};

} // namespace detail

/// The name of a signal as signal(7) spells it, "SIGTERM"; "signal 40" for one without a name.
inline std::string signal_name(int number)
{
    for (auto& [known, name] : detail::signal_names)
        if (known == number)
            return name;
    return "signal " + std::to_string(number);
}

/// The number of a signal by its name, with or without "SIG"; nothing for an unknown name.
inline std::optional<int> signal_number(std::string_view name)
{
    for (auto& [number, known] : detail::signal_names)
        if (name == known || name == std::string_view(known).substr(3))
            return number;
    return std::nullopt;
}

} // namespace brood
