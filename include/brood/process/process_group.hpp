// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <sys/types.h>

namespace brood
{

/// The process group and session that a child is put into: one choice, made by a named constructor.
///
/// A terminal sends Ctrl-C to all of its foreground group. A child in another group does not get
/// it, is reached as a whole by child_process::kill_tree(), and is frozen (SIGTTIN) when it reads
/// the terminal. See credentials(7).
class process_group
{
public:
    enum class kind
    {
        inherit,
        join,
        new_session,
    };

    /// That of this process.
    process_group() noexcept = default;

    static process_group inherit() noexcept { return {}; }

    /// One of its own, which it leads.
    static process_group own() noexcept { return {kind::join, 0}; }

    /// An existing one of this session, by the pid of the process that leads it.
    static process_group join(pid_t leader) noexcept { return {kind::join, leader}; }

    /// One of its own in a session of its own, without a terminal, as daemons have it: setsid(2).
    static process_group new_session() noexcept { return {kind::new_session, 0}; }

    kind what() const noexcept { return kind_; }

    /// The group to join, 0 for one of its own.
    pid_t leader() const noexcept { return leader_; }

    friend bool operator==(const process_group&, const process_group&) = default;

private:
    process_group(kind what, pid_t leader) noexcept : kind_(what), leader_(leader) {}

    kind kind_ = kind::inherit;
    pid_t leader_ = 0;
};

} // namespace brood
