// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/os/detail/cgroup.hpp>
#include <brood/os/detail/text.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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
    explicit oom_kills(const std::string& root = {})
    {
        auto group = detail::find_cgroup("memory", root);
        auto name = group.version == 1 ? "/memory.oom_control" : "/memory.events";
        // The topmost group has no such file, nor has one below it that shares its memory with it.
        for (auto& folder : group.folders)
            if (read(folder + name))
            {
                file_ = folder + name;
                break;
            }
    }

    /// So many until now; always 0 where the system does not tell. Opens and reads one file.
    std::uint64_t count() const { return file_.empty() ? 0 : read(file_).value_or(0); }

private:
    static std::optional<std::uint64_t> read(const std::string& file)
    {
        auto text = detail::read_text(file).value_or("");
        std::string_view rest = text;
        while (!rest.empty())
        {
            auto value = detail::cut(rest, "\n");
            if (detail::cut_word(value) == "oom_kill")
                return detail::number<std::uint64_t>(value);
        }
        return std::nullopt;
    }

    std::string file_;
};

} // namespace brood::os
