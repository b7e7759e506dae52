// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/asio.hpp>
#include <brood/process/arguments.hpp>
#include <brood/process/spawn_options.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace brood
{

class forked_process;

/// What a way to start processes can do of what a start on this machine can.
struct launcher_capabilities
{
    /// How much of its end a process that is started tells.
    enum class status
    {
        exact,    ///< Its code, or the signal that ended it.
        shell128, ///< Its code; for a signal 128 and its number, which a code may be, too.
        none,     ///< Only that it has ended.
    };

    bool graceful_signal = true; ///< Signals other than SIGKILL reach it.
    status exit_status = status::exact;
    bool descriptors = true;   ///< Descriptors, sockets and shared_bytes may be sent to it.
    bool shared_memory = true; ///< It shares pages with this process.

    /// It starts processes itself. If not, it waits until one comes that somebody else has started,
    /// and the time in which that has to be ready begins there.
    bool starts = true;

    friend bool operator==(const launcher_capabilities&, const launcher_capabilities&) = default;
};

/// What is to be started: a brood program, or this one with one of its entries.
struct launch_request
{
    std::string program; ///< A path, as it is on this machine.
    arguments args;
    std::string entry;     ///< The name of the entry; empty for the main coroutine of the program.
    spawn_options options; ///< Of the process; what a launcher cannot pass on is its own affair.
};

/// Starts processes with a channel somewhere else than fork() does, on another machine say.
///
/// spawn_options::launcher, and so a cluster, a supervisor and a pool, take one. Belongs to the
/// loop that it is used on.
class launcher
{
public:
    virtual ~launcher() = default;

    /// For people: "ssh n1".
    virtual std::string name() const = 0;

    virtual launcher_capabilities capabilities() const noexcept = 0;

    /// How many processes it has places for; 0 when that is not known.
    virtual std::size_t workers() const = 0;

    /// How long a process that it started goes on when it has not heard of this one.
    virtual std::chrono::milliseconds orphan_grace() const = 0;

    /// Starts one. Throws spawn_error when nothing could be started; what fails elsewhere ends the
    /// process that is given.
    virtual forked_process launch(asio::any_io_executor executor, const launch_request& wanted) = 0;
};

} // namespace brood
