// SPDX-License-Identifier: BSL-1.0
#include <brood/os/detail/memory_limit.hpp>

#include "os/faked_root.hpp"
#include "support/catch.hpp"

using brood::os::detail::memory_limits;
using brood::test::faked_root;

namespace
{

struct version_2 : faked_root
{
    version_2()
    {
        write("/proc/self/cgroup", "0::/a/b\n");
        write("/proc/self/mountinfo", "30 23 0:26 / /cg rw shared:4 - cgroup2 cgroup2 rw\n");
    }
};

struct version_1 : faked_root
{
    version_1()
    {
        write("/proc/self/cgroup", "4:memory:/a\n0::/\n");
        write("/proc/self/mountinfo", "31 28 0:28 / /cg rw - cgroup cgroup rw,memory\n");
    }
};

} // namespace

TEST_CASE("the memory limits of a group of version 2 and of those above it are found")
{
    version_2 root;
    root.write("/cg/a/b/memory.max", "1000\n");
    root.write("/cg/a/b/memory.high", "max\n");
    root.write("/cg/a/b/memory.current", "400\n");
    root.write("/cg/a/memory.max", "max\n");
    root.write("/cg/a/memory.high", "700\n");
    root.write("/cg/a/memory.current", "650\n");

    auto limits = memory_limits(root.text());

    REQUIRE(limits.size() == 2);
    CHECK(limits[0].limit == 1000);
    CHECK(limits[0].used == 400);
    CHECK(limits[1].limit == 700);
    CHECK(limits[1].used == 650);
}

TEST_CASE("the memory limit of a group of version 1 is the lower of the hard and the soft one")
{
    version_1 root;
    root.write("/cg/a/memory.limit_in_bytes", "1000\n");
    root.write("/cg/a/memory.soft_limit_in_bytes", "9223372036854771712\n");
    root.write("/cg/a/memory.usage_in_bytes", "10\n");
    CHECK(memory_limits(root.text()).at(0).limit == 1000);
    CHECK(memory_limits(root.text()).at(0).used == 10);

    root.write("/cg/a/memory.soft_limit_in_bytes", "800\n");
    CHECK(memory_limits(root.text()).at(0).limit == 800);
}

TEST_CASE("what version 1 writes for no limit, for any size of page, is none")
{
    version_1 root;
    for (auto unlimited : {"9223372036854771712\n", "9223372036854710272\n"})
    {
        root.write("/cg/a/memory.limit_in_bytes", unlimited);
        root.write("/cg/a/memory.soft_limit_in_bytes", unlimited);
        CHECK(memory_limits(root.text()).empty());
    }
}

TEST_CASE("a memory limit that no kernel writes is ignored")
{
    version_2 root;
    for (auto garbage : {"", "\n", "-1", "0", "max", "1k", "1.5", "99999999999999999999"})
    {
        INFO(garbage);
        root.write("/cg/a/b/memory.max", garbage);
        CHECK(memory_limits(root.text()).empty());
    }
    CHECK(memory_limits("/nowhere").empty());
}
