// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/child_process_core.hpp>
#include <brood/process/detail/process_tree.hpp>

#include <csignal>
#include <exception>
#include <system_error>
#include <unistd.h>

namespace brood::detail
{

/// A child, all that it started, and its process group when it leads one.
///
/// Those that were found are known to the end, although their parent may be gone by then. Of a
/// child that has ended already its group alone is found, until the child is collected.
class child_tree
{
public:
    explicit child_tree(child_process_core& child) : child_(child)
    {
        if (!child.process.holds_number())
            return;
        auto pid = child.process.pid();
        leads_ = ::getpgid(pid) == pid;
        if (!child.process.has_ended())
            below_ = process_tree(pid);
    }

    /// Before SIGKILL all of them are frozen, so that none starts another unseen. False when the
    /// child itself has ended.
    bool signal(int number)
    {
        if (child_.process.has_ended())
            return false;
        if (number == SIGKILL)
            return signal_frozen(number);
        below_.look();
        auto sent = child_.process.signal(number);
        below_.look_and_signal(number);
        signal_group(number);
        return sent;
    }

    /// The same while all of them are frozen, whatever the signal; those who are left of its group
    /// get it as well when the child itself has ended. They go on afterwards, and each has the
    /// signal once.
    bool signal_frozen(int number)
    {
        freeze();
        auto sent = deliver(number);
        if (number != SIGKILL)
            deliver(SIGCONT);
        return sent;
    }

    /// Whether anybody but the child still runs, as far as this system tells.
    bool anyone_runs()
    {
        if (holds_group())
            below_.add_group(child_.process.pid());
        below_.look();
        return below_.anyone_runs();
    }

    /// Whether somebody runs who may not be signalled: another user's.
    bool anyone_out_of_reach() const { return below_.anyone_out_of_reach(); }

private:
    void freeze()
    {
        try
        {
            child_.process.signal(SIGSTOP);
        }
        catch (const std::system_error&)
        {
            // It is another user's; what the signal is sent for says so.
        }
        if (signal_group(SIGSTOP))
            below_.add_group(child_.process.pid());
        below_.freeze();
    }

    // Whom it started may be ours although it is another user's.
    bool deliver(int number)
    {
        auto sent = false;
        std::exception_ptr refused;
        try
        {
            sent = child_.process.signal(number);
        }
        catch (const std::system_error&)
        {
            refused = std::current_exception();
        }
        below_.signal(number);
        signal_group(number);
        if (refused)
            std::rethrow_exception(refused);
        return sent;
    }

    // A number is taken as long as its process was not waited for.
    bool holds_group() const { return leads_ && child_.process.holds_number(); }

    bool signal_group(int number) const
    {
        return holds_group() && ::kill(-child_.process.pid(), number) == 0;
    }

    child_process_core& child_;
    process_tree below_;
    bool leads_ = false;
};

} // namespace brood::detail
