// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/process/detail/limit_texts.hpp>
#include <brood/process/worker_limits.hpp>
#ifdef __linux__
#include <brood/process/detail/confinement_linux.hpp>
#else
#include <brood/process/detail/confinement_posix.hpp>
#endif

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace brood::detail
{

/// A limit that cannot be given, by the name of its member.
struct missing_limit
{
    std::string name;
    std::string why;
    int error_number = ENOTSUP;
};

// The type of a resource is the system's own: an enum of glibc, an int elsewhere.
template <class Resource, class Limits>
int call_for_resource(int (*call)(Resource, Limits), int resource, Limits limits)
{
    return call(static_cast<Resource>(resource), limits);
}

/// Whether a limit was asked for that the kernel holds for threads, and not for processes.
inline bool limits_threads(const worker_limits& limits)
{
    return limits.no_new_privileges || limits.no_network || limits.read_only_files ||
           limits.filter || limits.uid || limits.gid;
}

inline bool becomes_another(const worker_limits& limits)
{
    return (limits.uid && *limits.uid != ::geteuid()) || (limits.gid && *limits.gid != ::getegid());
}

#ifdef __linux__

inline std::vector<missing_limit> missing_limits(const worker_limits& limits)
{
    std::vector<missing_limit> missing;
    if (limits.uid && *limits.uid != ::geteuid() && !has_capability(CAP_SETUID))
        missing.push_back({"uid", "to become another user needs privileges", EPERM});
    if (limits.gid && *limits.gid != ::getegid() && !has_capability(CAP_SETGID))
        missing.push_back({"gid", "to join another group needs privileges", EPERM});
    if (limits.processes && limits.uid.value_or(::getuid()) == 0)
        missing.push_back({"processes", "root is exempt from it; name another user by uid"});
    if (limits.no_network && !(this_architecture != 0 && can_filter()) &&
        !may_enter_namespaces(CLONE_NEWNET))
        missing.push_back({"no_network", "this kernel allows neither namespaces nor filters"});
    if (limits.read_only_files && landlock_version() == 0 &&
        !(can_set_mounts() && may_enter_namespaces(CLONE_NEWNS)))
        missing.push_back({"read_only_files", "this kernel allows neither Landlock nor a mount "
                                              "namespace"});
    if (limits.filter && !can_filter())
        missing.push_back({"filter", "this kernel has no filters of system calls"});
    else if (limits.filter && limits.filter->computes() && this_architecture == 0)
        missing.push_back({"filter", "sandbox::compute() does not know this processor"});
    return missing;
}

#else

inline std::vector<missing_limit> missing_limits(const worker_limits& limits)
{
    std::vector<missing_limit> missing;
    auto root = ::geteuid() == 0;
    if (becomes_another(limits) && !root)
        missing.push_back({"uid", "to become another user needs privileges", EPERM});
    if (limits.processes && limits.uid.value_or(::getuid()) == 0)
        missing.push_back({"processes", "root is exempt from it; name another user by uid"});
    auto only_on_linux = [&](const char* name, bool asked)
    {
        if (asked)
            missing.push_back({name, "only Linux has this limit"});
    };
    only_on_linux("no_new_privileges", limits.no_new_privileges);
    only_on_linux("no_network", limits.no_network);
    only_on_linux("read_only_files", limits.read_only_files);
    only_on_linux("filter", limits.filter.has_value());
    return missing;
}

#endif

/// Enters the limits one by one, in the order in which none of them hinders the next.
class confinement
{
public:
    explicit confinement(worker_limits limits) : limits_(std::move(limits)) {}

    /// What is known to be missing, and does not need to be tried.
    void leave_out(const missing_limit& missing)
    {
        note(missing.name, missing.why);
        if (missing.name == "uid")
            limits_.uid.reset();
        if (missing.name == "gid")
            limits_.gid.reset();
        limits_.no_new_privileges &= missing.name != "no_new_privileges";
        limits_.no_network &= missing.name != "no_network";
        limits_.read_only_files &= missing.name != "read_only_files";
        if (missing.name == "filter")
            limits_.filter.reset();
    }

    std::vector<std::string> enter()
    {
#ifdef __linux__
        if (limits_threads(limits_) && !is_single_threaded())
            throw_system_error(EBUSY, "enter the limits of a worker:",
                               "it has several threads, and must do so before it starts them");
        check_memory();
        enter_namespaces();
        took("uid", become(limits_.uid, limits_.gid));
        if (limits_threads(limits_))
            took("no_new_privileges", give_up_privileges());
        if (limits_.read_only_files)
            forbid_writing();
        limit_resources();
        if (limits_.no_network && !own_network_)
            took("no_network", enter_filter(no_network_filter()));
        if (limits_.filter)
            took("filter", enter_filter(filter_of(*limits_.filter)));
#else
        took("uid", become(limits_.uid, limits_.gid));
        limit_resources();
#endif
        return std::move(left_out_);
    }

private:
    void note(const std::string& name, const std::string& why)
    {
        left_out_.push_back(name + ": " + why);
    }

    void took(const std::string& name, int error_number)
    {
        if (error_number == 0)
            return;
        if (!limits_.best_effort)
            throw_system_error(error_number, "enter limit", name);
        note(name, std::system_category().message(error_number));
    }

    void limit_resources()
    {
        for (auto& [resource, value] : limits_.resources())
            if (call_for_resource<>(&::setrlimit, resource, &std::as_const(value)) == -1)
                took("of resource " + std::to_string(resource), errno);
    }

#ifdef __linux__
    // Nothing could be allocated any more, not even an exception.
    void check_memory() const
    {
        std::uint64_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        auto now = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        if (limits_.memory && *limits_.memory < now)
            throw_system_error(ENOMEM, "enter limit memory:",
                               "it is " + size_text(*limits_.memory) +
                                   ", and the process has more already: " + size_text(now));
    }

    void enter_namespaces()
    {
        int kinds = (limits_.no_network ? CLONE_NEWNET : 0) |
                    (limits_.read_only_files && can_set_mounts() ? CLONE_NEWNS : 0);
        // In a user namespace there is nobody else to become.
        if (kinds == 0 || (becomes_another(limits_) && !has_capability(CAP_SYS_ADMIN)))
            return;
        if (!detail::enter_namespaces(kinds))
            return;
        own_network_ = limits_.no_network;
        own_mounts_ = (kinds & CLONE_NEWNS) != 0 && mount_read_only() == 0;
    }

    void forbid_writing()
    {
        auto failed = landlock_read_only();
        if (!own_mounts_)
            took("read_only_files", failed);
    }

    bool own_network_ = false;
    bool own_mounts_ = false;
#endif

    worker_limits limits_;
    std::vector<std::string> left_out_;
};

} // namespace brood::detail
