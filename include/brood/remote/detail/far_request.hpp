// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/environment.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/process/launcher.hpp>
#include <brood/process/spawn_error.hpp>
#include <brood/remote/detail/build_id.hpp>

#include <array>
#include <cerrno>
#include <set>
#include <string>
#include <unistd.h>
#include <vector>

namespace brood::detail
{

/// What the other machine would have to know is refused, and not left out. Throws spawn_error.
inline void refuse_what_stays_here(const launch_request& wanted)
{
    auto& options = wanted.options;
    auto refuse = [&](const char* step, const char* what)
    {
        throw spawn_error(ENOTSUP, wanted.program, step, what);
    };
    if (!options.descriptors.empty())
        refuse("stdio", "descriptors cannot leave this machine");
    if (options.stdin_.what() != stdio::kind::inherit &&
        options.stdin_.what() != stdio::kind::ignore)
        refuse("stdio", "stdin of a worker elsewhere is brood's own");
    if (options.uid || options.gid || options.groups)
        refuse("ids", "the command says who runs it elsewhere");
    if (!options.limits.empty())
        refuse("limits", "the command says how it is limited elsewhere");
}

/// Which worker of its cluster it is; empty for none.
inline std::string worker_of(const launch_request& wanted)
{
    auto& variables = wanted.options.env;
    return variables ? variables->get(worker_variable).value_or("") : std::string();
}

/// The build that its program must be. Another program may be another one; of this one it must be
/// the same, as its entries are: empty for any.
inline std::string build_for(const launch_request& wanted)
{
    return wanted.entry.empty() ? std::string() : build_id();
}

/// Who a worker elsewhere is told that its primary is.
inline std::string primary_name()
{
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    return "primary process " + std::to_string(::getpid()) + " on " + host.data();
}

/// What was set for it beside the environment of this process.
inline void add_variables(const launch_request& wanted, std::vector<std::string>& to)
{
    if (!wanted.options.env)
        return;
    auto lines = environment().lines();
    std::set<std::string> ours(lines.begin(), lines.end());
    for (auto& line : wanted.options.env->lines())
        if (!ours.contains(line) && !line.starts_with(std::string(worker_variable) + '='))
            to.push_back(line);
}

} // namespace brood::detail
