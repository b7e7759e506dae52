// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/os/cpu.hpp>
#include <brood/os/detail/affinity.hpp>
#include <brood/os/detail/cpu_quota.hpp>
#include <brood/os/detail/text.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

namespace brood::os::detail
{

/// The names of ARM cores, of which the kernel gives the number only.
inline constexpr std::array arm_cores{
    std::pair{"0xd03", "Cortex-A53"},  std::pair{"0xd04", "Cortex-A35"},
    std::pair{"0xd05", "Cortex-A55"},  std::pair{"0xd07", "Cortex-A57"},
    std::pair{"0xd08", "Cortex-A72"},  std::pair{"0xd09", "Cortex-A73"},
    std::pair{"0xd0a", "Cortex-A75"},  std::pair{"0xd0b", "Cortex-A76"},
    std::pair{"0xd0c", "Neoverse-N1"}, std::pair{"0xd0d", "Cortex-A77"},
    std::pair{"0xd40", "Neoverse-V1"}, std::pair{"0xd41", "Cortex-A78"},
    std::pair{"0xd44", "Cortex-X1"},   std::pair{"0xd46", "Cortex-A510"},
    std::pair{"0xd47", "Cortex-A710"}, std::pair{"0xd48", "Cortex-X2"},
    std::pair{"0xd49", "Neoverse-N2"}, std::pair{"0xd4a", "Neoverse-E1"},
    std::pair{"0xd4d", "Cortex-A715"}, std::pair{"0xd4e", "Cortex-X3"},
    std::pair{"0xd4f", "Neoverse-V2"}, std::pair{"0xd80", "Cortex-A520"},
    std::pair{"0xd81", "Cortex-A720"}, std::pair{"0xd84", "Neoverse-V3"},
    std::pair{"0xd8e", "Neoverse-N3"},
};

/// The model in what /proc/cpuinfo says of one CPU; each architecture has its own word for it.
inline std::string cpu_model(std::string_view description)
{
    for (auto key : {"model name", "Model Name", "cpu model", "cpu", "uarch"})
        if (auto model = field(description, key))
            return std::string(*model);
    auto part = field(description, "CPU part");
    for (auto& [number, name] : arm_cores)
        if (part == number)
            return name;
    return "unknown";
}

/// The whole MHz of a text like "2596.122" or "2300.000000MHz", 0 for any other.
inline int whole_megahertz(std::string_view text)
{
    return number<int>(cut(text, ".")).value_or(0);
}

/// The speed of a CPU now, by cpufreq, in kHz; without that, by what /proc/cpuinfo says of it.
inline int cpu_speed(const std::string& root, unsigned index, std::string_view description)
{
    auto file =
        root + "/sys/devices/system/cpu/cpu" + std::to_string(index) + "/cpufreq/scaling_cur_freq";
    if (auto kilohertz = number<int>(read_text(file).value_or("")))
        return *kilohertz / 1000;
    for (auto key : {"cpu MHz", "CPU MHz", "clock"})
        if (auto megahertz = field(description, key))
            return whole_megahertz(*megahertz);
    return 0;
}

/// What /proc/cpuinfo says of each CPU, by its number.
inline std::map<unsigned, std::string_view> cpu_descriptions(std::string_view cpuinfo)
{
    std::map<unsigned, std::string_view> found;
    while (!cpuinfo.empty())
    {
        auto description = cut(cpuinfo, "\n\n");
        if (auto index = number<unsigned>(field(description, "processor").value_or("")))
            found[*index] = description;
    }
    return found;
}

/// The times in the words after "cpu0" in a line of /proc/stat: user nice system idle iowait irq.
inline std::optional<cpu_times> parse_times(std::string_view words)
{
    static const auto ticks_per_second = ::sysconf(_SC_CLK_TCK);
    std::array<std::chrono::milliseconds, 6> times;
    for (auto& time : times)
    {
        auto ticks = number<std::int64_t>(cut_word(words));
        if (!ticks)
            return std::nullopt;
        time = std::chrono::milliseconds(*ticks * 1000 / ticks_per_second);
    }
    return cpu_times{times[0], times[1], times[2], times[3], times[5]};
}

/// The CPUs by Linux's /proc and /sys below a root; none when they are not there.
inline std::vector<cpu> proc_cpus(const std::string& root)
{
    auto stat = read_text(root + "/proc/stat").value_or("");
    auto cpuinfo = read_text(root + "/proc/cpuinfo").value_or("");
    auto descriptions = cpu_descriptions(cpuinfo);
    std::vector<cpu> found;
    for (std::string_view rest = stat; !rest.empty();)
    {
        auto line = cut(rest, "\n");
        auto name = cut_word(line);
        if (!name.starts_with("cpu"))
            continue;
        auto index = number<unsigned>(name.substr(3)); // the first line is of all CPUs
        auto times = parse_times(line);
        if (!index || !times)
            continue;
        auto description = descriptions[*index];
        found.push_back({cpu_model(description), cpu_speed(root, *index, description), *times});
    }
    return found;
}

/// The same where only POSIX is to be had: their number is all that it tells.
inline std::vector<cpu> posix_cpus()
{
    return std::vector<cpu>(online_cpus(), cpu{"unknown", 0, {}});
}

inline std::vector<cpu> cpus(const std::string& root)
{
    auto found = proc_cpus(root);
    return found.empty() ? posix_cpus() : found;
}

inline unsigned available_parallelism(const std::string& root)
{
    auto allowed = allowed_cpus();
    return std::min(allowed, cpu_quota(root).value_or(allowed));
}

} // namespace brood::os::detail
