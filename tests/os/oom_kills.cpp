// SPDX-License-Identifier: BSL-1.0
#include <brood/os/oom_kills.hpp>

#include "os/faked_root.hpp"
#include "support/catch.hpp"

#include <string>

using brood::os::oom_kills;
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

} // namespace

TEST_CASE("the kills in a group of version 2 are counted")
{
    version_2 root;
    root.write("/cg/a/b/memory.events", "low 0\nhigh 7\nmax 9\noom 3\noom_kill 2\n"
                                        "oom_group_kill 1\n");
    root.write("/cg/a/memory.events", "oom_kill 50\n");
    oom_kills kills(root.text());
    CHECK(kills.count() == 2);

    root.write("/cg/a/b/memory.events", "oom_kill 3\n");
    CHECK(kills.count() == 3);
}

TEST_CASE("a group that shares its memory with the one above it counts there")
{
    version_2 root;
    root.write("/cg/a/memory.events", "oom_kill 5\n");

    CHECK(oom_kills(root.text()).count() == 5);
}

TEST_CASE("the kills in a group of version 1 are counted")
{
    faked_root root;
    root.write("/proc/self/cgroup", "4:memory:/a\n0::/\n");
    root.write("/proc/self/mountinfo", "31 28 0:28 / /cg rw - cgroup cgroup rw,memory\n");
    root.write("/cg/a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");

    CHECK(oom_kills(root.text()).count() == 4);
}

TEST_CASE("where kills are not told there are none")
{
    version_2 root;
    CHECK(oom_kills(root.text()).count() == 0);
    CHECK(oom_kills("/nowhere").count() == 0);
    for (auto garbage : {"", "oom_kill\n", "oom_kill many\n", "oom_kill -1\n"})
    {
        root.write("/cg/a/b/memory.events", garbage);
        CHECK(oom_kills(root.text()).count() == 0);
    }
}
