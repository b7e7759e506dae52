// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/os/detail/text.hpp>
#include <brood/os/host.hpp>

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <sys/utsname.h>

namespace brood::os::detail
{

inline utsname uname()
{
    utsname names{};
    check(::uname(&names), "read the name of the system");
    return names;
}

inline std::string lower_case(std::string text)
{
    for (auto& letter : text)
        if (letter >= 'A' && letter <= 'Z')
            letter = static_cast<char>(letter - 'A' + 'a');
    return text;
}

/// What Node calls a program of 32 or 64 bits on some hardware.
struct arch_name
{
    std::string_view machine; ///< How the kernel's word for it begins. Longer ones come first.
    std::string_view bits32;
    std::string_view bits64;
};

inline constexpr bool big_endian = std::endian::native == std::endian::big;

inline constexpr std::array arch_names{
    arch_name{"x86", "ia32", "x64"},
    arch_name{"amd64", "ia32", "x64"},
    arch_name{"i", "ia32", "x64"}, // i386 to i686
    arch_name{"aarch64", "arm", "arm64"},
    arch_name{"arm", "arm", "arm64"},
    arch_name{"riscv", "riscv32", "riscv64"},
    arch_name{"ppc", "ppc", "ppc64"},
    arch_name{"powerpc", "ppc", "ppc64"},
    arch_name{"s390", "s390", "s390x"},
    arch_name{"loongarch", "loong32", "loong64"},
    arch_name{"mips", big_endian ? "mips" : "mipsel", big_endian ? "mips64" : "mips64el"},
};

/// A kernel of 64 bits runs programs of 32 as well, so its word alone does not say which this is.
inline std::string arch_of(const std::string& machine, bool is_64_bit)
{
    for (auto& name : arch_names)
        if (machine.starts_with(name.machine))
            return std::string(is_64_bit ? name.bits64 : name.bits32);
    return machine;
}

/// The seconds in a text like "4941.81 9000.12"; nothing in any other.
inline std::optional<std::chrono::milliseconds> parse_uptime(std::string_view text)
{
    auto word = cut_word(text);
    auto seconds = number<std::int64_t>(cut(word, "."));
    auto hundredths = number<std::int64_t>(word);
    if (!seconds || !hundredths)
        return std::nullopt;
    return std::chrono::milliseconds(*seconds * 1000 + *hundredths * 10);
}

/// The uptime where only POSIX is to be had: its steady clock begins when a machine starts, on all
/// systems we know, though POSIX does not promise it.
inline std::chrono::milliseconds posix_uptime()
{
    timespec now{};
    check(::clock_gettime(CLOCK_MONOTONIC, &now), "read the steady clock");
    return std::chrono::milliseconds(std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000);
}

inline std::chrono::milliseconds uptime(const std::string& root)
{
    auto told = parse_uptime(read_text(root + "/proc/uptime").value_or(""));
    return told ? *told : posix_uptime();
}

} // namespace brood::os::detail
