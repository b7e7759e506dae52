// SPDX-License-Identifier: BSL-1.0
#include <brood/os/memory.hpp>

#include <brood/os/detail/memory.hpp>

#include "os/faked_root.hpp"
#include "os/shell.hpp"
#include "support/catch.hpp"
#include "support/patience.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <fstream>

namespace os = brood::os;
using namespace std::chrono_literals;
using brood::test::faked_root;
using brood::test::output_of;
using brood::test::wait_until;

namespace
{

constexpr std::uint64_t mebibyte = 1 << 20;

std::uint64_t meminfo(const std::string& key)
{
    std::ifstream file("/proc/meminfo");
    for (std::string word; file >> word;)
        if (std::uint64_t figure = 0; word == key + ":" && file >> figure)
            return figure * 1024;
    FAIL("/proc/meminfo has no " << key);
    return 0;
}

// Memory from the kernel, every page of it touched.
class block
{
public:
    block(std::size_t size, int flags)
        : size_(size),
          start_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0))
    {
        REQUIRE(start_ != MAP_FAILED);
        std::memset(start_, 1, size);
    }

    ~block() { ::munmap(start_, size_); }

    block(const block&) = delete;
    block& operator=(const block&) = delete;

private:
    std::size_t size_;
    void* start_;
};

// A soft limit of this process, put back when this goes.
template <class Resource>
class limit
{
public:
    limit(Resource resource, rlim_t soft) : resource_(resource)
    {
        REQUIRE(::getrlimit(resource, &before_) == 0);
        rlimit changed = before_;
        changed.rlim_cur = soft;
        REQUIRE(::setrlimit(resource, &changed) == 0);
    }

    ~limit() { ::setrlimit(resource_, &before_); }

    limit(const limit&) = delete;
    limit& operator=(const limit&) = delete;

private:
    Resource resource_;
    rlimit before_{};
};

void write_group(const faked_root& root, const std::string& limit, const std::string& used)
{
    root.write("/proc/self/cgroup", "0::/\n");
    root.write("/proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
    root.write("/cg/memory.max", limit);
    root.write("/cg/memory.current", used);
}

} // namespace

TEST_CASE("total_memory() is the memory of the machine, and the same without /proc", "[node-250]")
{
    auto pages = std::stoull(output_of("getconf _PHYS_PAGES"));
    auto size = std::stoull(output_of("getconf PAGE_SIZE"));

    CHECK(os::total_memory() == meminfo("MemTotal"));
    CHECK(os::detail::total_memory("/nowhere") == pages * size);
}

TEST_CASE("free_memory() is what /proc/meminfo calls available")
{
    // Other programs take and give meanwhile: one quiet moment is enough.
    CHECK(wait_until(20s,
                     []
                     {
                         auto taken = os::free_memory();
                         auto expected = meminfo("MemAvailable");
                         return std::max(taken, expected) - std::min(taken, expected) <
                                4 * mebibyte;
                     }));
    CHECK(os::free_memory() < os::total_memory());
}

TEST_CASE("free_memory() is what is unused, where the system says no more")
{
    CHECK(wait_until(20s,
                     []
                     {
                         auto taken = os::detail::free_memory("/nowhere");
                         auto expected = meminfo("MemFree");
                         return std::max(taken, expected) - std::min(taken, expected) <
                                4 * mebibyte;
                     }));
}

TEST_CASE("free_memory() throws where the system does not tell")
{
    CHECK_THROWS_WITH(os::detail::posix_pages(-1, "how much memory is free"),
                      Catch::Matchers::ContainsSubstring("how much memory is free"));
}

TEST_CASE("constrained_memory() is the limit of the control group, 0 without one")
{
    faked_root root;

    write_group(root, "1000000000\n", "0\n");
    CHECK(os::detail::constrained_memory(root.text()) == 1'000'000'000);
    write_group(root, "max\n", "0\n");
    CHECK(os::detail::constrained_memory(root.text()) == 0);
    CHECK(os::detail::constrained_memory("/nowhere") == 0);
}

TEST_CASE("constrained_memory() is the limit of the process when that is lower")
{
    constexpr rlim_t most = rlim_t{1} << 46; // more than a sanitizer needs for itself
    faked_root root;
    write_group(root, std::to_string(most + 1), "0\n");
    {
        limit data(RLIMIT_DATA, most);
        CHECK(os::detail::constrained_memory(root.text()) == most);
        limit addresses(RLIMIT_AS, most - 4096);
        CHECK(os::detail::constrained_memory("/nowhere") == most - 4096);
        CHECK(os::constrained_memory() <= most - 4096);
    }
    CHECK(os::detail::constrained_memory(root.text()) == most + 1);
}

TEST_CASE("available_memory() is what is free, or what the control group leaves")
{
    faked_root root;
    root.write("/proc/meminfo",
               "MemTotal:     2000 kB\nMemFree:    1 kB\nMemAvailable:  1000 kB\n");

    CHECK(os::detail::available_memory(root.text()) == 1'024'000);
    write_group(root, "1000000\n", "400000\n");
    CHECK(os::detail::available_memory(root.text()) == 600'000);
    write_group(root, "1000000\n", "1000001\n");
    CHECK(os::detail::available_memory(root.text()) == 0);
    write_group(root, "9000000\n", "1000\n");
    CHECK(os::detail::available_memory(root.text()) == 1'024'000);
    CHECK(os::available_memory() <= os::total_memory());
}

TEST_CASE("memory_usage() sees memory come and go")
{
    constexpr auto size = 64 * mebibyte;
    constexpr auto most_of_it = 60 * mebibyte;
    auto before = os::memory_usage();
    {
        block taken(size, MAP_PRIVATE);
        auto during = os::memory_usage();
        CHECK(during.rss >= before.rss + most_of_it);
        CHECK(during.virtual_size >= before.virtual_size + size);
        CHECK(during.shared < before.shared + most_of_it);
    }
    auto after = os::memory_usage();

    CHECK(after.rss < before.rss + most_of_it);
    CHECK(after.peak_rss >= before.rss + most_of_it);
    CHECK(after.virtual_size >= after.rss);
}

TEST_CASE("memory_usage() counts what is shared apart")
{
    auto before = os::memory_usage();
    block taken(64 * mebibyte, MAP_SHARED);
    auto during = os::memory_usage();

    CHECK(during.shared >= before.shared + 60 * mebibyte);
    CHECK(during.shared <= during.rss);
}

TEST_CASE("memory_usage() is the peak, where the system says no more")
{
    auto peak = os::memory_usage().peak_rss;
    auto without = os::detail::memory_usage("/nowhere");

    CHECK(without.rss == without.peak_rss);
    CHECK(without.peak_rss >= peak - 4 * mebibyte);
    CHECK(without.peak_rss <= os::memory_usage().peak_rss + 4 * mebibyte);
    CHECK(without.shared == 0);
}

TEST_CASE("memory_usage() takes what an old kernel tells")
{
    faked_root root;
    root.write("/proc/self/status", "Name:\tx\nVmSize:\t    3000 kB\nVmRSS:\t    2000 kB\n");

    auto usage = os::detail::memory_usage(root.text());

    CHECK(usage.rss == 2'048'000);
    CHECK(usage.peak_rss == 2'048'000);
    CHECK(usage.virtual_size == 3'072'000);
    CHECK(usage.shared == 0);
}
