// SPDX-License-Identifier: BSL-1.0
#include <brood/os/detail/cpu_quota.hpp>

#include "os/faked_root.hpp"
#include "support/catch.hpp"

using brood::os::detail::cpu_quota;
using brood::test::faked_root;

namespace
{

// A machine whose groups are all mounted below /sys/fs/cgroup, and this process in /a/b.
struct version_2 : faked_root
{
    version_2()
    {
        write("/proc/self/cgroup", "0::/a/b\n");
        write("/proc/self/mountinfo",
              "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n");
    }

    void quota(const std::string& group, const std::string& text) const
    {
        write("/sys/fs/cgroup" + group + "/cpu.max", text);
    }
};

struct version_1 : faked_root
{
    version_1()
    {
        write("/proc/self/cgroup", "4:cpu,cpuacct:/a/b\n");
        write("/proc/self/mountinfo", "31 28 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup "
                                      "rw,cpu,cpuacct\n");
    }

    void quota(const std::string& group, const std::string& quota, const std::string& period) const
    {
        write("/sys/fs/cgroup/cpu,cpuacct" + group + "/cpu.cfs_quota_us", quota);
        write("/sys/fs/cgroup/cpu,cpuacct" + group + "/cpu.cfs_period_us", period);
    }
};

} // namespace

TEST_CASE("a quota of version 2 counts whole CPUs, rounded up")
{
    version_2 root;

    root.quota("/a/b", "200000 100000\n");
    CHECK(cpu_quota(root.text()) == 2u);
    root.quota("/a/b", "200001 100000\n");
    CHECK(cpu_quota(root.text()) == 3u);
    root.quota("/a/b", "25000 50000\n");
    CHECK(cpu_quota(root.text()) == 1u);
    root.quota("/a/b", "1000 1000000\n");
    CHECK(cpu_quota(root.text()) == 1u);
}

TEST_CASE("\"max\" in version 2 and -1 in version 1 mean no quota")
{
    version_2 second;
    second.quota("/a/b", "max 100000\n");
    CHECK_FALSE(cpu_quota(second.text()));

    version_1 first;
    first.quota("/a/b", "-1\n", "100000\n");
    CHECK_FALSE(cpu_quota(first.text()));
}

TEST_CASE("a quota of version 1 counts whole CPUs, rounded up")
{
    version_1 root;

    root.quota("/a/b", "150000\n", "100000\n");
    CHECK(cpu_quota(root.text()) == 2u);
    root.quota("/a/b", "10000\n", "100000\n");
    CHECK(cpu_quota(root.text()) == 1u);
}

TEST_CASE("the smallest quota on the way up to the root rules")
{
    version_2 second;
    second.quota("/a/b", "800000 100000\n");
    second.quota("/a", "300000 100000\n");
    CHECK(cpu_quota(second.text()) == 3u);
    second.quota("", "100000 100000\n"); // at the mount point of a container
    CHECK(cpu_quota(second.text()) == 1u);
    second.quota("/a/b", "max 100000\n");
    second.quota("/a/b/below", "50000 100000\n");
    second.quota("/a/other", "50000 100000\n");
    second.quota("", "max 100000\n");
    CHECK(cpu_quota(second.text()) == 3u);

    version_1 first;
    first.quota("/a/b", "-1\n", "100000\n");
    first.quota("/a", "600000\n", "200000\n");
    first.quota("", "-1\n", "100000\n");
    CHECK(cpu_quota(first.text()) == 3u);
}

TEST_CASE("a group that does not exist below the mount is limited by those that do")
{
    version_2 root;
    root.write("/proc/self/cgroup", "0::/docker/1/a (deleted)\n");
    root.quota("", "400000 100000\n");
    CHECK(cpu_quota(root.text()) == 4u);

    root.quota("/docker", "150000 100000\n");
    CHECK(cpu_quota(root.text()) == 2u);
}

TEST_CASE("a container with the path of its host and mounts of its own has the quota at their root")
{
    version_1 root;
    root.write("/proc/self/cgroup", "4:cpu,cpuacct:/kubepods/pod1/c1\n");
    root.write("/proc/self/mountinfo",
               "31 28 0:28 /c1 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n");
    root.quota("", "200000\n", "100000\n");

    CHECK(cpu_quota(root.text()) == 2u);
}

TEST_CASE("a quota that no kernel writes is ignored, the others count")
{
    version_2 root;
    root.quota("/a", "500000 100000\n");
    for (auto garbage :
         {"", "\n", "100000", "100000 ", "0 100000", "100000 0", "-5 100000", "100000 -1", "x 1",
          "1 x", "1x 1", "0x10 1", "1.5 1", "99999999999999999999 1", "max", "MAX 100000"})
    {
        INFO(garbage);
        root.quota("/a/b", garbage);
        CHECK(cpu_quota(root.text()) == 5u);
    }

    version_1 first;
    first.write("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "100000\n"); // and no period
    CHECK_FALSE(cpu_quota(first.text()));
}

TEST_CASE("a quota beyond all numbers of CPUs is one still")
{
    version_2 root;
    root.quota("/a/b", "9223372036854775807 1\n");

    CHECK(cpu_quota(root.text()) == 4294967295u);
}

TEST_CASE("there is no quota without control groups")
{
    CHECK_FALSE(cpu_quota("/nowhere"));
}
