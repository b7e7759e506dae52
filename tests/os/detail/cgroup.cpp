// SPDX-License-Identifier: BSL-1.0
#include <brood/os/detail/cgroup.hpp>

#include "os/faked_root.hpp"
#include "support/catch.hpp"

using namespace brood::os::detail;
using brood::test::faked_root;

namespace
{

const auto mounted_v2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
const auto mounted_v1 = "29 28 0:25 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
                        "31 28 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 master:2 - cgroup "
                        "cgroup rw,cpu,cpuacct\n";

// The folders that count for the CPU, without the name of the faked root in front.
std::vector<std::string> cpu_folders(const std::string& memberships, const std::string& mountinfo,
                                     int version)
{
    faked_root root;
    root.write("/proc/self/cgroup", memberships);
    root.write("/proc/self/mountinfo", mountinfo);
    auto group = find_cgroup("cpu", root.text());
    CHECK(group.version == version);
    for (auto& folder : group.folders)
    {
        REQUIRE(folder.starts_with(root.text()));
        folder.erase(0, root.text().size());
    }
    return group.folders;
}

using folders = std::vector<std::string>;

} // namespace

TEST_CASE("a group of version 2 counts with all above it, its own first")
{
    CHECK(cpu_folders("0::/a.slice/b.service\n", mounted_v2, 2) ==
          folders{"/sys/fs/cgroup/a.slice/b.service", "/sys/fs/cgroup/a.slice", "/sys/fs/cgroup"});
    CHECK(cpu_folders("0::/\n", mounted_v2, 2) == folders{"/sys/fs/cgroup"});
}

TEST_CASE("a group of version 1 is that of the controller, not of one with a longer name")
{
    auto memberships = "5:cpuset:/wrong\n4:cpu,cpuacct:/docker/1\n1:name=systemd:/wrong\n";

    CHECK(cpu_folders(memberships, mounted_v1, 1) == folders{"/sys/fs/cgroup/cpu,cpuacct/docker/1",
                                                             "/sys/fs/cgroup/cpu,cpuacct/docker",
                                                             "/sys/fs/cgroup/cpu,cpuacct"});
}

TEST_CASE("on a hybrid system the version that has the controller counts")
{
    auto both = std::string(mounted_v2) + mounted_v1;

    CHECK(cpu_folders("4:cpu,cpuacct:/one\n0::/two\n", both, 1) ==
          folders{"/sys/fs/cgroup/cpu,cpuacct/one", "/sys/fs/cgroup/cpu,cpuacct"});
    CHECK(cpu_folders("4:memory:/one\n0::/two\n", both, 2) ==
          folders{"/sys/fs/cgroup/two", "/sys/fs/cgroup"});
    // Listed by /proc, but not mounted here.
    CHECK(cpu_folders("4:cpu:/one\n0::/two\n", mounted_v2, 2) ==
          folders{"/sys/fs/cgroup/two", "/sys/fs/cgroup"});
}

TEST_CASE("a container that sees only its own group finds it at the mount point")
{
    auto mount = "31 28 0:28 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n";

    CHECK(cpu_folders("0::/docker/1\n", mount, 2) == folders{"/sys/fs/cgroup"});
    CHECK(cpu_folders("0::/docker/1/init\n", mount, 2) ==
          folders{"/sys/fs/cgroup/init", "/sys/fs/cgroup"});
}

TEST_CASE("a mount of another group than ours counts only when there is no better one")
{
    auto other = "31 28 0:28 /docker/1 /other rw - cgroup2 cgroup rw\n";

    CHECK(cpu_folders("0::/docker/12\n", other, 2) == folders{"/other"});
    CHECK(cpu_folders("0::/docker/12\n", std::string(other) + mounted_v2, 2) ==
          folders{"/sys/fs/cgroup/docker/12", "/sys/fs/cgroup/docker", "/sys/fs/cgroup"});
}

TEST_CASE("a group outside of the cgroup namespace does not lead out of the mount")
{
    CHECK(cpu_folders("0::/../../outside\n", mounted_v2, 2) == folders{"/sys/fs/cgroup"});
    CHECK(cpu_folders("0::/..\n", mounted_v2, 2) == folders{"/sys/fs/cgroup"});
    CHECK(cpu_folders("0::/..a\n", mounted_v2, 2) ==
          folders{"/sys/fs/cgroup/..a", "/sys/fs/cgroup"});
    // A namespace was entered, and the mounts are still those from outside.
    auto outside = "31 28 0:28 /.. /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
    CHECK(cpu_folders("0::/\n", outside, 2) == folders{"/sys/fs/cgroup"});
    CHECK(cpu_folders("0::/../b\n", outside, 2) == folders{"/sys/fs/cgroup/b", "/sys/fs/cgroup"});
}

TEST_CASE("paths with blanks, backslashes and colons are found")
{
    auto mount = R"(31 28 0:28 / /my\040cgroups\134here rw - cgroup2 cgroup rw)";

    CHECK(cpu_folders("0::/a:b c\n", mount, 2) ==
          folders{R"(/my cgroups\here/a:b c)", R"(/my cgroups\here)"});
}

TEST_CASE("no group is found where the files are missing, or hold what no kernel writes")
{
    CHECK(find_cgroup("cpu", "/nowhere").version == 0);
    CHECK(find_cgroup("cpu", "/nowhere").folders.empty());
    CHECK(cpu_folders("", "", 0).empty());
    CHECK(cpu_folders("0::/a\n", "", 0).empty());
    CHECK(cpu_folders("", mounted_v2, 0).empty());
    for (auto garbage : {"\n\n\n", ":", "0", "0:", "0::", "0::a\n", "::::", "\\", "- - - -",
                         "1:cpu\n", "31 28 0:28 / /x\\", " - cgroup2 ", "\\0\\"})
    {
        INFO(garbage);
        CHECK(cpu_folders(garbage, mounted_v2, 0).empty());
        CHECK(cpu_folders("9:other:/a\n", garbage, 0).empty());
    }
}

TEST_CASE("this process is in a group whose folders exist, when it is in one at all")
{
    for (auto controller : {"cpu", "memory"})
        for (auto& folder : find_cgroup(controller).folders)
        {
            INFO(controller << " " << folder);
            CHECK(read_text(folder + "/cgroup.procs"));
        }
}
