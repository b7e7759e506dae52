// SPDX-License-Identifier: BSL-1.0
#include <brood/os/host.hpp>

#include <brood/os/detail/host.hpp>

#include "os/faked_root.hpp"
#include "os/shell.hpp"
#include "support/catch.hpp"

#include <sys/personality.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>

namespace os = brood::os;
using namespace std::chrono_literals;
using brood::test::faked_root;
using brood::test::output_of;

namespace
{

std::chrono::milliseconds told_uptime()
{
    double seconds = 0;
    std::ifstream("/proc/uptime") >> seconds;
    return std::chrono::milliseconds(std::llround(seconds * 1000));
}

} // namespace

TEST_CASE("the names of the system are those that uname prints", "[node-250]")
{
    CHECK(os::hostname() == output_of("uname -n"));
    CHECK(os::type() == output_of("uname -s"));
    CHECK(os::release() == output_of("uname -r"));
    CHECK(os::version() == output_of("uname -v"));
    CHECK(os::machine() == output_of("uname -m"));
}

TEST_CASE("platform() is Node's name of the system this was compiled for")
{
#if defined(__linux__)
    CHECK(os::platform() == "linux");
#elif defined(__APPLE__)
    CHECK(os::platform() == "darwin");
#elif defined(__FreeBSD__)
    CHECK(os::platform() == "freebsd");
#endif
    CHECK(os::detail::lower_case("FreeBSD 14-é") == "freebsd 14-é");
}

TEST_CASE("arch() is Node's name of what this was compiled for")
{
#if defined(__x86_64__)
    CHECK(os::arch() == "x64");
#elif defined(__aarch64__)
    CHECK(os::arch() == "arm64");
#elif defined(__i386__)
    CHECK(os::arch() == "ia32");
#elif defined(__arm__)
    CHECK(os::arch() == "arm");
#endif
}

TEST_CASE("arch() tells programs of 32 bits from those of 64 on the same kernel")
{
    struct
    {
        const char* machine;
        const char* bits32;
        const char* bits64;
    } names[] = {
        {"x86_64", "ia32", "x64"},
        {"amd64", "ia32", "x64"},
        {"i686", "ia32", "x64"},
        {"aarch64", "arm", "arm64"},
        {"arm64", "arm", "arm64"},
        {"armv7l", "arm", "arm64"},
        {"riscv64", "riscv32", "riscv64"},
        {"ppc64le", "ppc", "ppc64"},
        {"powerpc", "ppc", "ppc64"},
        {"s390x", "s390", "s390x"},
        {"loongarch64", "loong32", "loong64"},
        {"vax", "vax", "vax"},
    };
    for (auto& name : names)
    {
        CHECK(os::detail::arch_of(name.machine, false) == name.bits32);
        CHECK(os::detail::arch_of(name.machine, true) == name.bits64);
    }
}

TEST_CASE("arch() stays the same under a kernel that plays one of 32 bits")
{
    auto arch = os::arch();
    auto machine = os::machine();
    auto before = ::personality(0xffffffff);
    if (::personality(PER_LINUX32) == -1)
    {
        WARN("this process may not change its personality: not tried");
        return;
    }

    auto played = os::machine();
    auto stayed = os::arch();
    ::personality(static_cast<unsigned long>(before));

    CHECK(stayed == arch);
    CHECK(played == output_of("setarch linux32 uname -m"));
    CHECK(os::machine() == machine);
}

TEST_CASE("endianness() is the order of the bytes in a number")
{
    std::uint16_t number = 0x0102;
    std::array<unsigned char, 2> bytes{};
    std::memcpy(bytes.data(), &number, 2);

    CHECK(os::endianness() == (bytes[0] == 1 ? "BE" : "LE"));
}

TEST_CASE("uptime() goes on as /proc/uptime does")
{
    auto before = told_uptime();
    auto taken = os::uptime();
    auto after = told_uptime();

    CHECK(taken > 0ms);
    CHECK(before <= taken);
    CHECK(taken <= after);
}

TEST_CASE("uptime() is that of a container, when it has a /proc of its own")
{
    faked_root root;
    root.write("/proc/uptime", "12.03 99.99\n");

    CHECK(os::detail::uptime(root.text()) == 12'030ms);
}

TEST_CASE("uptime() is what the steady clock says, where /proc/uptime is missing or garbage")
{
    faked_root root;
    for (auto garbage : {"", "x", "12", "12.", ".5", "-.-", "1e3.5"})
    {
        INFO(garbage);
        root.write("/proc/uptime", garbage);
        auto before = std::chrono::steady_clock::now().time_since_epoch();
        auto taken = os::detail::uptime(root.text());
        auto after = std::chrono::steady_clock::now().time_since_epoch();

        CHECK(taken >= std::chrono::floor<std::chrono::milliseconds>(before));
        CHECK(taken <= after);
    }
}
