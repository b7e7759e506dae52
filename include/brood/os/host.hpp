// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/os/detail/text.hpp>

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <sys/utsname.h>

namespace brood::os
{

/// The name of this machine in its network, without a domain on most.
///
/// Follows gethostname(3) and Node's os.hostname(): https://nodejs.org/api/os.html#oshostname
std::string hostname();

/// The operating system in lower case: "linux", "darwin", "freebsd", "openbsd", "netbsd", "sunos".
///
/// Follows Node's os.platform(): https://nodejs.org/api/os.html#osplatform
std::string platform();

/// The operating system as it names itself: "Linux", "Darwin", "FreeBSD".
///
/// Follows uname(3) and Node's os.type(): https://nodejs.org/api/os.html#ostype
std::string type();

/// The release of the kernel, like "6.1.0-18-amd64".
///
/// Follows uname(3) and Node's os.release(): https://nodejs.org/api/os.html#osrelease
std::string release();

/// The build of the kernel, in its own words, like "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1".
///
/// Follows uname(3) and Node's os.version(): https://nodejs.org/api/os.html#osversion
std::string version();

/// The hardware, in the words of the kernel: "x86_64", "aarch64".
///
/// Follows uname(3) and Node's os.machine(): https://nodejs.org/api/os.html#osmachine
std::string machine();

/// What this program was compiled for, in Node's words: "x64", "arm64", "ia32", "arm", "riscv64",
/// "ppc64", "s390x", "loong64", "mips", "mipsel"; the kernel's word for anything else.
///
/// Follows Node's os.arch(): https://nodejs.org/api/os.html#osarch
std::string arch();

/// The order of bytes in a number: "LE" for the lowest first, or "BE".
///
/// Follows Node's os.endianness(): https://nodejs.org/api/os.html#osendianness
std::string endianness();

/// How long ago the machine started, or the container that this process is in, when that tells.
///
/// Follows proc_uptime(5) and Node's os.uptime(): https://nodejs.org/api/os.html#osuptime
std::chrono::milliseconds uptime();

namespace detail
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

} // namespace detail

inline std::string hostname()
{
    return detail::uname().nodename;
}

inline std::string platform()
{
    return detail::lower_case(type());
}

inline std::string type()
{
    return detail::uname().sysname;
}

inline std::string release()
{
    return detail::uname().release;
}

inline std::string version()
{
    return detail::uname().version;
}

inline std::string machine()
{
    return detail::uname().machine;
}

inline std::string arch()
{
    return detail::arch_of(machine(), sizeof(void*) == 8);
}

inline std::string endianness()
{
    return detail::big_endian ? "BE" : "LE";
}

inline std::chrono::milliseconds uptime()
{
    return detail::uptime({});
}

} // namespace brood::os
