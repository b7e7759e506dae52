// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace brood
{

/// How other machines are reached by ssh. The user's own configuration and agent are used; what is
/// here is said beside it, and what it says about the same is overruled but for `extra`.
struct ssh_options
{
    /// Of OpenSSH; without a slash it is searched in PATH.
    std::string program = "ssh";

    /// Instead of ~/.ssh/config and the one of the machine; empty for those.
    std::string config_file = {};

    /// Further arguments, as ssh(1) takes them, before all others: {"-o", "ProxyJump=gate"}. Of an
    /// option that is said twice ssh takes the first, so they win.
    std::vector<std::string> extra = {};

    /// After so much silence ssh asks the other side whether it is there, and gives up when it does
    /// not answer so many times in a row: a network that is cut is found out after 15 s.
    std::chrono::seconds alive_interval{5};
    unsigned alive_count = 3;

    /// How long it may take until a connection stands.
    std::chrono::seconds connect_timeout{15};

    /// Whether the workers of a host share connections, each of which is a process of its own that
    /// no worker takes along with its end. A start takes a twentieth of the time then.
    bool share_connections = true;

    /// How many workers share one: as many as the sshd of the host allows, 10 unless MaxSessions
    /// in sshd_config(5) says otherwise.
    std::size_t sessions_per_connection = 10;

    /// How many logins at a host may be under way at once. sshd refuses some when there are more
    /// than ten, unless MaxStartups in sshd_config(5) says otherwise, and others log in as well.
    std::size_t logins_at_once = 8;

    /// Throws std::invalid_argument, with the reason, for what cannot be meant.
    void check() const
    {
        auto refuse = [](const std::string& why)
        {
            throw std::invalid_argument("brood: ssh options: " + why);
        };
        if (program.empty())
            refuse("program is empty: \"ssh\" is searched in PATH");
        if (alive_interval.count() <= 0 || alive_count == 0)
            refuse("alive_interval and alive_count are above zero: without them a network that is "
                   "cut is never found out");
        if (connect_timeout.count() <= 0)
            refuse("connect_timeout is above zero");
        if (sessions_per_connection == 0 || logins_at_once == 0)
            refuse("sessions_per_connection and logins_at_once are 1 at least");
    }

    friend bool operator==(const ssh_options&, const ssh_options&) = default;
};

} // namespace brood
