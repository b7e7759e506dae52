// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/child_process_core.hpp>
#include <brood/process/detail/process_tree.hpp>

#include <csignal>
#include <unistd.h>

namespace brood::detail
{

/// A child, all that it started, and its process group when it leads one.
///
/// Those that were found are known to the end, although their parent may be gone by then. Of a
/// child that has ended already nobody is found.
class child_tree
{
public:
    explicit child_tree(child_process_core& child) : child_(child)
    {
        if (!child.process.signal(0))
            return;
        auto pid = child.process.pid();
        below_ = process_tree(pid);
        leads_ = ::getpgid(pid) == pid;
    }

    /// Before SIGKILL all of them are frozen, so that none starts another unseen. False when the
    /// child itself has ended.
    bool signal(int number)
    {
        if (number == SIGKILL)
            freeze();
        else
            below_.look();
        auto sent = child_.process.signal(number);
        below_.signal(number);
        if (sent && leads_)
            ::kill(-child_.process.pid(), number);
        return sent;
    }

private:
    void freeze()
    {
        child_.process.signal(SIGSTOP);
        below_.freeze();
    }

    child_process_core& child_;
    process_tree below_;
    bool leads_ = false;
};

} // namespace brood::detail
