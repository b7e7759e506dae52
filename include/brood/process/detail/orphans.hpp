// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/loop.hpp>
#include <brood/base/task.hpp>
#include <brood/process/detail/own_children.hpp>
#include <brood/process/detail/process_table.hpp>

#include <chrono>
#include <map>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace brood::detail
{

/// How long a child that may be another library's is left to whoever waits for it. Tests shorten
/// it.
inline std::chrono::steady_clock::duration orphans_are_doubtful_for = std::chrono::minutes(1);

/// Collects processes that lost their parent and came to this one, when they have ended.
///
/// A child that this program started without brood looks the same, and somebody waits for it. Two
/// signs tell an orphan for certain: it is in a process group that a child of brood leads or led,
/// or in a session that neither it nor this process began. Who shows neither is collected when
/// nobody has done so for a minute.
class orphan_collector
{
public:
    void look()
    {
        auto lock = own_children::looking();
        std::set<pid_t> doubtful;
        auto visit = [&](pid_t pid)
        {
            if (!own_children::knows(pid) && !collect_orphan(pid))
                doubtful.insert(pid);
        };
        visit_children(::getpid(), visit);
        std::erase_if(ended_at_, [&](auto& each) { return !doubtful.contains(each.first); });
        own_children::forget_empty_groups();
    }

private:
    using clock = std::chrono::steady_clock;

    // False when it is to be looked at again.
    bool collect_orphan(pid_t pid)
    {
        auto what = look_at(pid);
        if (what.state != 'Z')
            return true;
        auto since = ended_at_.try_emplace(pid, clock::now()).first->second;
        if (!is_adopted(pid, what) && clock::now() - since < orphans_are_doubtful_for)
            return false;
        siginfo_t about = {};
        ::waitid(P_PID, static_cast<id_t>(pid), &about, WEXITED | WNOHANG);
        return true;
    }

    bool is_adopted(pid_t pid, const process_stat& what) const
    {
        if (what.group != pid && own_children::led(what.group))
            return true;
        return what.session != pid && what.session != session_ && what.session != ::getsid(0);
    }

    const pid_t session_ = ::getsid(0);
    std::map<pid_t, clock::time_point> ended_at_; // seen first as a zombie
};

/// Looks after orphans as long as the loop runs. Nobody tells of their ends: a pidfd is for a child
/// that one knows, and SIGCHLD is the program's.
inline task<> collect_orphans()
{
    orphan_collector collector;
    for (;;)
    {
        collector.look();
        co_await sleep(std::chrono::milliseconds(250));
    }
}

/// While it lives, what loses its parent below this process comes to it, and not to process 1.
class child_subreaper
{
public:
    explicit child_subreaper([[maybe_unused]] bool wanted)
    {
#ifdef __linux__
        ::prctl(PR_GET_CHILD_SUBREAPER, &before_);
        wanted_ = wanted && before_ == 0 && ::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
#endif
    }

    ~child_subreaper()
    {
#ifdef __linux__
        if (wanted_)
            ::prctl(PR_SET_CHILD_SUBREAPER, 0);
#endif
    }

    child_subreaper(const child_subreaper&) = delete;
    child_subreaper& operator=(const child_subreaper&) = delete;

private:
    [[maybe_unused]] int before_ = 0;
    [[maybe_unused]] bool wanted_ = false;
};

} // namespace brood::detail
