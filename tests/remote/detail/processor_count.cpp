// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/detail/processor_count.hpp>

#include <brood/os/cpu.hpp>
#include <brood/process/exec.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <filesystem>
#include <string>

using brood::detail::processor_count_text;
using namespace brood::test;

namespace
{

/// What the text prints, on a machine with four processors.
std::string counted_below(const temporary_directory& root)
{
    auto text = "nproc() { echo 4; }; " + processor_count_text(root.path());
    return brood::exec_file_sync("/bin/sh", {"-c", text}).out;
}

/// A machine with these groups, and quotas for them.
std::string counted(const std::string& groups, const std::string& folder, const std::string& file,
                    const std::string& text)
{
    temporary_directory root;
    std::filesystem::create_directories(root / "proc/self");
    std::filesystem::create_directories(root / "sys/fs/cgroup" + folder);
    root.write("proc/self/cgroup", groups);
    root.write("sys/fs/cgroup" + folder + '/' + file, text);
    if (file == "cpu.cfs_quota_us")
        root.write("sys/fs/cgroup" + folder + "/cpu.cfs_period_us", "100000\n");
    return counted_below(root);
}

} // namespace

TEST_CASE("sh counts the processors of another machine as we do those of ours", "[processors]")
{
    auto said = brood::exec_file_sync("/bin/sh", {"-c", processor_count_text()});

    CHECK(said.out == std::to_string(brood::os::available_parallelism()) + '\n');
    CHECK(said.err.empty());
}

TEST_CASE("sh counts no more processors than the control group is granted", "[processors]")
{
    CHECK(counted("0::/a/b c\n", "/a/b c", "cpu.max", "250000 100000\n") == "3\n");
    CHECK(counted("0::/a/b\n", "/a", "cpu.max", "100000 100000\n") == "1\n");
    CHECK(counted("0::/a\n", "", "cpu.max", "150000 100000\n") == "2\n");
    CHECK(counted("0::/\n", "", "cpu.max", "max 100000\n") == "4\n");
    CHECK(counted("0::/\n", "", "cpu.max", "9000000 100000\n") == "4\n");
    CHECK(counted("5:cpuset:/x\n4:cpu,cpuacct:/a\n", "/cpu/a", "cpu.cfs_quota_us", "150000\n") ==
          "2\n");
    CHECK(counted("4:cpuacct,cpu:/\n", "/cpu", "cpu.cfs_quota_us", "-1\n") == "4\n");
    CHECK(counted_below(temporary_directory()) == "4\n");
}
