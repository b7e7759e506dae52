// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <sys/types.h>

namespace brood
{

/// A line that a worker printed.
struct output_line
{
    std::uint64_t worker = 0; ///< Its id.
    std::size_t slot = 0;
    std::string name = {}; ///< Of the child, when a supervisor keeps it.
    pid_t pid = 0;
    int stream = 1;   ///< 1 for its stdout, 2 for its stderr.
    std::string text; ///< Without its end; a longer one than worker_output::longest_line in pieces.
    std::size_t lost = 0;  ///< Lines of any worker before this one that were lost: nobody read.
    std::string host = {}; ///< Of a worker elsewhere, once it is known.
};

/// "[2.4711] the text": slot, pid, text; "[web.4711] the text"; "[2@n3.4711] the text" of a worker
/// elsewhere.
inline std::string to_string(const output_line& line)
{
    auto who = line.name.empty() ? std::to_string(line.slot) : line.name;
    if (!line.host.empty())
        who += '@' + line.host;
    return '[' + who + '.' + std::to_string(line.pid) + "] " + line.text;
}

/// What becomes of what workers print on the streams that they inherit.
struct worker_output
{
    enum class goes
    {
        unchanged, ///< Where the streams of this process lead; workers print across each other.
        printed,   ///< The same, by this process: whole lines behind "[slot.pid] ".
        read,      ///< To cluster::line().
    };

    enum class when_full
    {
        drop_oldest, ///< Lines are lost, and counted. No worker waits.
        wait,        ///< Workers wait when they print; their watchdog may find that they hang.
    };

    goes where = goes::unchanged;
    when_full full = when_full::drop_oldest;        ///< When nobody reads.
    std::size_t waiting = std::size_t{1} << 20;     ///< Bytes that wait to be read, at most.
    std::size_t longest_line = std::size_t{65'536}; ///< A longer one comes in pieces.
    bool in_color = false;    ///< Printed on a terminal, each slot has a colour of its own.
    std::size_t kept = 8'192; ///< Bytes of the last of it that exit_info::last_output has.

    bool on() const noexcept { return where != goes::unchanged; }

    /// Throws std::invalid_argument for what cannot be meant.
    void check() const
    {
        if (longest_line == 0 || waiting < longest_line)
            throw std::invalid_argument("brood: worker output: a line has one byte at least, and "
                                        "as much may wait as the longest line has");
    }
};

} // namespace brood
