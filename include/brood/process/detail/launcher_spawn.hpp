// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launch_plan.hpp>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <unistd.h>

namespace brood::detail
{

#if defined(__GLIBC__) && (__GLIBC__ > 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ >= 34))

/// Whether posix_spawn can do all of this plan: it has no ids, no limits and no holes between
/// numbers.
inline bool suits_posix_spawn(const launch_plan& plan)
{
    auto dense = plan.highest_target + 1 == static_cast<int>(plan.moves.size());
    return dense && !plan.uid && !plan.gid && !plan.groups && plan.limits.empty() &&
           plan.parent_death_signal == 0;
}

class spawn_request
{
public:
    spawn_request()
    {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawnattr_init(&attributes_);
    }

    ~spawn_request()
    {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }

    spawn_request(const spawn_request&) = delete;
    spawn_request& operator=(const spawn_request&) = delete;

    void set_attributes(const launch_plan& plan)
    {
        sigset_t signals;
        ::sigemptyset(&signals);
        ::posix_spawnattr_setsigmask(&attributes_, &signals);
        ::sigfillset(&signals);
        ::posix_spawnattr_setsigdefault(&attributes_, &signals);
        int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
        if (plan.new_session)
            flags |= POSIX_SPAWN_SETSID;
        if (plan.process_group)
        {
            flags |= POSIX_SPAWN_SETPGROUP;
            ::posix_spawnattr_setpgroup(&attributes_, *plan.process_group);
        }
        ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
    }

    void set_actions(const launch_plan& plan, const std::vector<descriptor>& sources)
    {
        for (std::size_t index = 0; index < plan.moves.size(); ++index)
            ::posix_spawn_file_actions_adddup2(&actions_, sources[index].get(),
                                               plan.moves[index].target);
        ::posix_spawn_file_actions_addclosefrom_np(&actions_, plan.highest_target + 1);
        if (!plan.cwd.empty())
            ::posix_spawn_file_actions_addchdir_np(&actions_, plan.cwd.c_str());
    }

    int start(const launch_plan& plan, pid_t& pid)
    {
        int reason = ENOENT;
        for (auto& candidate : plan.candidates)
        {
            auto failed = ::posix_spawn(&pid, candidate.c_str(), &actions_, &attributes_,
                                        plan.argv_pointers.data(), plan.env_pointers.data());
            if (failed == 0 || (failed != EACCES && failed != ENOENT && failed != ENOTDIR))
                return failed;
            if (failed == EACCES)
                reason = EACCES;
        }
        return reason;
    }

private:
    posix_spawn_file_actions_t actions_;
    posix_spawnattr_t attributes_;
};

/// Starts a child by the C library, which shares memory with it as well where it can, but does not
/// tell which step failed: that of the directory is found out afterwards.
inline launched launch_by_posix_spawn(launch_plan& plan)
{
    launched result;
    std::vector<descriptor> sources;
    for (auto& move : plan.moves)
    {
        sources.emplace_back(::fcntl(move.source, F_DUPFD_CLOEXEC, plan.highest_target + 1));
        if (!sources.back())
        {
            result.failure = {launch_step::descriptors, errno};
            return result;
        }
    }
    spawn_request request;
    request.set_attributes(plan);
    request.set_actions(plan, sources);
    auto failed = request.start(plan, result.pid);
    if (failed == 0)
        return result;
    struct stat about = {};
    auto no_directory =
        !plan.cwd.empty() && (::stat(plan.cwd.c_str(), &about) == -1 || !S_ISDIR(about.st_mode));
    result.pid = -1;
    result.failure = {no_directory ? launch_step::cwd : launch_step::exec, failed};
    return result;
}

#else

inline bool suits_posix_spawn(const launch_plan&)
{
    return false;
}

inline launched launch_by_posix_spawn(launch_plan&)
{
    launched result;
    result.failure = {launch_step::fork, ENOSYS};
    return result;
}

#endif

} // namespace brood::detail
