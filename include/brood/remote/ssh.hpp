// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/process/launcher.hpp>
#include <brood/remote/arrival.hpp>
#include <brood/remote/deploy.hpp>
#include <brood/remote/host_list.hpp>
#include <brood/remote/placement.hpp>
#include <brood/remote/ssh_options.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace brood
{

/// How workers are started over ssh.
struct ssh_settings
{
    /// How the machines are reached. Several workers of a host share connections.
    ssh_options options = {};

    /// Which worker goes where, and which machine is set aside.
    placement_options placement = {};

    /// The path of the program there; empty for the same as here.
    std::string program = {};

    /// Whether the program is made ready on each host before anything of it runs, once for all of
    /// its workers: compared, and copied there when it is not there, as deploy() does it. Without
    /// it the program has to be there. `control_path` is not used.
    std::optional<deploy_options> deploy = std::nullopt;

    /// Addresses of this machine that workers connect to without ssh, which is faster. One outside
    /// a private network is refused until `encrypt` is said. Empty for the tunnel of their ssh.
    std::vector<std::string> direct = {};

    /// Whether what crosses is encrypted by TLS 1.3, as command_options::encrypt says; beside what
    /// ssh does, when that carries it.
    std::optional<bool> encrypt = {};

    /// A worker that has not come by then never will.
    std::chrono::milliseconds join_within{30'000};

    /// How long a worker goes on that has not heard of this process, or whose ssh has ended.
    std::chrono::milliseconds orphan_grace{10'000};
};

/// Starts workers on other machines, by OpenSSH and the user's own configuration of it:
/// `brood::pool<fib> pool(brood::ssh({"n1", "n2:8", "me@n3"}))`.
///
/// A host without a number takes a worker for each processor that it may use, within the quota of
/// its control group. It is asked for that by a login of its own, all such hosts at once, and this
/// blocks until they have answered; one that does not has one place, and the start of a worker
/// there tells why. What ssh carries, the channel of each worker too, is encrypted by it. Throws
/// std::invalid_argument, with the reason, for settings that cannot be meant, and for no host.
std::shared_ptr<launcher> ssh(const host_list& hosts, const ssh_settings& settings = {});

/// The hosts with how many workers each of them takes, as ssh() asks those without a number, but
/// without blocking: what it gives is for ssh(), which asks nobody then. Cancelled, it ends its
/// ssh.
task<host_list> count_processors(host_list hosts, ssh_options options);

/// The same as hosts are reached by default.
task<host_list> count_processors(host_list hosts);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/ssh.ipp>
#endif
