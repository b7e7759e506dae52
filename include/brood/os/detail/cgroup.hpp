// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/os/detail/text.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::os::detail
{

/// The control group of this process for one resource, as cgroups(7): the folders that may limit
/// it.
struct cgroup
{
    int version = 0;                  ///< 1 or 2; 0 when there is none, and then no folder either.
    std::vector<std::string> folders; ///< Its own first, the mount point last. May not exist.
};

/// The group of the hierarchy that has a controller, "cpu" or "memory". Every limit on the way up
/// holds: the smallest rules.
///
/// Tests give another root than the real one, with proc/self/cgroup and proc/self/mountinfo in it.
cgroup find_cgroup(std::string_view controller, const std::string& root = {});

/// One place where a hierarchy of groups is mounted.
struct cgroup_mount
{
    std::string root;  ///< The group that is seen at the mount point.
    std::string point; ///< Where that is.
};

/// Replaces what stands for a blank in the paths of mountinfo, as "\040".
inline std::string unescaped(std::string_view text)
{
    std::string plain(cut(text, "\\"));
    while (!text.empty())
    {
        auto digits = text.substr(0, 3);
        int code = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), code, 8);
        plain += static_cast<char>(code);
        text.remove_prefix(digits.size());
        plain += cut(text, "\\");
    }
    return plain;
}

/// The path of this process in the hierarchy with that controller, from lines like
/// "4:cpu,cpuacct:/a/b"; without a controller, in that of version 2, "0::/a/b".
inline std::optional<std::string_view> cgroup_path(std::string_view memberships,
                                                   std::string_view controller)
{
    while (!memberships.empty())
    {
        auto path = cut(memberships, "\n"); // which may have colons of its own
        auto hierarchy = cut(path, ":");
        auto controllers = cut(path, ":");
        if (path.starts_with('/') && (controller.empty() ? hierarchy == "0" && controllers.empty()
                                                         : lists(controllers, controller)))
            return path;
    }
    return std::nullopt;
}

/// Where the hierarchy with that controller is mounted, from lines like
/// "31 23 0:28 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu"; the same for version 2.
inline std::vector<cgroup_mount> cgroup_mounts(std::string_view mountinfo,
                                               std::string_view controller)
{
    std::vector<cgroup_mount> found;
    while (!mountinfo.empty())
    {
        auto what = cut(mountinfo, "\n");
        auto where = cut(what, " - ");
        for (int skipped = 0; skipped < 3; ++skipped)
            cut_word(where);
        auto root = unescaped(cut_word(where));
        auto point = unescaped(cut_word(where));
        auto type = cut_word(what);
        cut_word(what); // the source, which says nothing here
        if (controller.empty() ? type == "cgroup2"
                               : type == "cgroup" && lists(cut_word(what), controller))
            found.push_back({std::move(root), std::move(point)});
    }
    return found;
}

/// What is left of a path below one of its ancestors, nothing when that is none.
inline std::optional<std::string_view> below(std::string_view ancestor, std::string_view path)
{
    if (ancestor == "/")
        return path;
    if (!path.starts_with(ancestor))
        return std::nullopt;
    path.remove_prefix(ancestor.size());
    if (!path.empty() && path.front() != '/')
        return std::nullopt;
    return path;
}

inline bool leads_out(std::string_view path)
{
    while (!path.empty())
        if (cut(path, "/") == "..")
            return true;
    return false;
}

/// The folder of the path below a mount point, then those above it up to the mount point.
inline void add_folders(std::vector<std::string>& folders, const std::string& point,
                        std::string_view path)
{
    // The group is outside of what a cgroup namespace shows: its mount point is what we have.
    if (leads_out(path))
        path = {};
    for (; path.size() > 1; path = path.substr(0, path.rfind('/')))
        folders.push_back(point + std::string(path));
    folders.push_back(point);
}

/// The folders of a path in all mounts that show it or a group above it.
///
/// When none claims to, /proc was made for another cgroup namespace than the mounts: a container
/// with one of the two from outside. Then the mount point is the container's group.
inline std::vector<std::string> cgroup_folders(const std::vector<cgroup_mount>& mounts,
                                               std::string_view path, const std::string& root)
{
    std::vector<std::string> folders;
    for (auto& mount : mounts)
        if (auto rest = below(mount.root, path))
            add_folders(folders, root + mount.point, *rest);
    if (folders.empty())
        for (auto& mount : mounts)
            folders.push_back(root + mount.point);
    return folders;
}

inline cgroup find_cgroup(std::string_view controller, const std::string& root)
{
    auto memberships = read_text(root + "/proc/self/cgroup").value_or("");
    auto mountinfo = read_text(root + "/proc/self/mountinfo").value_or("");
    // On a hybrid system a controller is in one hierarchy only: in version 1, when that lists it.
    for (int version : {1, 2})
    {
        auto wanted = version == 1 ? controller : std::string_view();
        auto path = cgroup_path(memberships, wanted);
        if (!path)
            continue;
        auto folders = cgroup_folders(cgroup_mounts(mountinfo, wanted), *path, root);
        if (!folders.empty())
            return {version, std::move(folders)};
    }
    return {};
}

} // namespace brood::os::detail
