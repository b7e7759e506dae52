// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/os/detail/cgroup.hpp>
#include <brood/os/detail/text.hpp>
#include <brood/os/oom_kills.hpp>

#include <string_view>

namespace brood::os
{

BROOD_INLINE oom_kills::oom_kills(const std::string& root)
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

BROOD_INLINE std::uint64_t oom_kills::count() const
{
    return file_.empty() ? 0 : read(file_).value_or(0);
}

BROOD_INLINE std::optional<std::uint64_t> oom_kills::read(const std::string& file)
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

} // namespace brood::os
