// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/launch_steps.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

namespace brood::detail
{

#if defined(__GLIBC__) && (__GLIBC__ > 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ >= 34))

/// Whether posix_spawn can do all of this plan, and tell what failed: it has no ids and no limits,
/// keeps nothing out between two numbers, and has one error for all steps.
inline bool suits_posix_spawn(const launch_plan& plan)
{
    auto dense = plan.highest_target == static_cast<int>(plan.moves.size()) - 1;
    return dense && !plan.uid && !plan.gid && !plan.groups && plan.limits.empty() &&
           !plan.die_with_parent && plan.group.leader() == 0;
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
        // Not sigfillset(3), which leaves out those of the C library: they would be ignored.
        std::memset(&signals, 0xff, sizeof signals);
        if (passes_on_hangup())
            ::sigdelset(&signals, SIGHUP);
        ::posix_spawnattr_setsigdefault(&attributes_, &signals);
        int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
        if (plan.group.what() == process_group::kind::new_session)
            flags |= POSIX_SPAWN_SETSID;
        if (plan.group.what() == process_group::kind::join)
            flags |= POSIX_SPAWN_SETPGROUP; // the group is 0 by default, its own
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
            auto failed = start_patiently(plan, candidate, pid);
            if (failed == 0 || (failed != EACCES && failed != ENOENT && failed != ENOTDIR))
                return failed;
            if (failed == EACCES)
                reason = EACCES;
        }
        return reason;
    }

private:
    int start_patiently(const launch_plan& plan, const std::string& candidate, pid_t& pid)
    {
        int failed = ETXTBSY;
        for (unsigned pause = 1000; failed == ETXTBSY && pause <= longest_wait_for_program;
             pause *= 2)
        {
            failed = ::posix_spawn(&pid, candidate.c_str(), &actions_, &attributes_,
                                   plan.argv_pointers.data(), plan.env_pointers.data());
            if (failed == ETXTBSY)
                ::usleep(pause);
        }
        return failed;
    }

    posix_spawn_file_actions_t actions_;
    posix_spawnattr_t attributes_;
};

/// The sources, above all targets; false with the reason in errno.
inline bool duplicate_sources(const launch_plan& plan, std::vector<descriptor>& to)
{
    for (auto& move : plan.moves)
    {
        to.emplace_back(::fcntl(move.source, F_DUPFD_CLOEXEC, plan.highest_target + 1));
        if (!to.back())
            return false;
        if (move.target <= 2 && !move.keeps_mode)
            make_blocking(move.source);
    }
    return true;
}

/// Whether the child will be able to go into its directory; false with the reason in errno.
inline bool may_enter(const std::string& directory)
{
    descriptor opened(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    return opened && ::faccessat(opened.get(), ".", X_OK, AT_EACCESS) == 0;
}

/// Starts a child by the C library, which shares memory with it as well where it can, but does not
/// tell which step failed: those but the last are tried here before.
inline launched launch_by_posix_spawn(launch_plan& plan)
{
    std::vector<descriptor> sources;
    sources.reserve(plan.moves.size());
    if (!duplicate_sources(plan, sources))
        return launched::failed(launch_step::descriptors, errno);
    if (!plan.cwd.empty() && !may_enter(plan.cwd))
        return launched::failed(launch_step::cwd, errno);
    spawn_request request;
    request.set_attributes(plan);
    request.set_actions(plan, sources);
    launched result;
    result.failure = {launch_step::exec, request.start(plan, result.pid)};
    if (result.failure.error_number == EAGAIN || result.failure.error_number == ENOMEM)
        result.failure.step = launch_step::fork;
    return result;
}

#else

inline bool suits_posix_spawn(const launch_plan&)
{
    return false;
}

inline launched launch_by_posix_spawn(launch_plan&)
{
    return launched::failed(launch_step::fork, ENOSYS);
}

#endif

} // namespace brood::detail
