// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace brood::os
{

/// How often the kernel has killed a process of our control group because there was no memory left,
/// in the group or in the machine: to tell such a SIGKILL from one that somebody sent.
///
/// The group is looked up once, when this is made. Follows oom_kill of memory.events, which
/// counts the groups below ours too, and of memory.oom_control, which does not:
/// https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files,
/// https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
class oom_kills
{
public:
    /// Tests give another root than the real one.
    explicit oom_kills(const std::string& root = {});

    /// So many until now; always 0 where the system does not tell. Opens and reads one file.
    std::uint64_t count() const;

private:
    static std::optional<std::uint64_t> read(const std::string& file);

    std::string file_;
};

} // namespace brood::os

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/os/impl/oom_kills.ipp>
#endif
