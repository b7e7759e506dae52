// SPDX-License-Identifier: BSL-1.0
#include <brood/os/cpu.hpp>

#include <brood/os/detail/cpu.hpp>

#include "os/faked_root.hpp"
#include "os/shell.hpp"
#include "support/catch.hpp"
#include "support/patience.hpp"
#include "support/temporary_directory.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace os = brood::os;
using namespace std::chrono_literals;
using brood::test::faked_root;
using brood::test::output_of;
using brood::test::read_file;
using brood::test::wait_until;

namespace
{

// The CPUs that the calling thread may use, put back when this goes.
class affinity
{
public:
    affinity() { REQUIRE(::sched_getaffinity(0, sizeof before_, &before_) == 0); }

    ~affinity() { ::sched_setaffinity(0, sizeof before_, &before_); }

    affinity(const affinity&) = delete;
    affinity& operator=(const affinity&) = delete;

    std::vector<std::size_t> cpus() const
    {
        std::vector<std::size_t> found;
        for (std::size_t number = 0; number < CPU_SETSIZE; ++number)
            if (CPU_ISSET(number, &before_))
                found.push_back(number);
        return found;
    }

    void restrict_to(const std::vector<std::size_t>& numbers) const
    {
        cpu_set_t only;
        CPU_ZERO(&only);
        for (auto number : numbers)
            CPU_SET(number, &only);
        REQUIRE(::sched_setaffinity(0, sizeof only, &only) == 0);
    }

private:
    cpu_set_t before_{};
};

// user nice system idle iowait irq of each CPU, in hundredths of a second.
std::vector<std::array<long long, 6>> lines_of_stat()
{
    std::vector<std::array<long long, 6>> found;
    std::istringstream stat(read_file("/proc/stat"));
    for (std::string line; std::getline(stat, line);)
    {
        std::istringstream words(line);
        std::string name;
        words >> name;
        if (!name.starts_with("cpu") || name == "cpu")
            continue;
        for (auto& time : found.emplace_back())
            words >> time;
    }
    return found;
}

std::chrono::milliseconds busy()
{
    std::chrono::milliseconds sum{};
    for (auto& each : os::cpus())
        sum += each.times.user + each.times.nice + each.times.sys;
    return sum;
}

void write_quota(const faked_root& root, const std::string& quota)
{
    root.write("/proc/self/cgroup", "0::/\n");
    root.write("/proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
    root.write("/cg/cpu.max", quota);
}

// A control group of version 1 or 2 below our own, if this process may make one that has a quota.
class real_group
{
public:
    real_group()
    {
        auto group = os::detail::find_cgroup("cpu");
        if (group.folders.empty())
            return;
        path_ = group.folders.front() + "/brood-test-" + std::to_string(::getpid());
        std::error_code refused;
        made_ = std::filesystem::create_directory(path_, refused);
        if (made_ && group.version == 1)
            std::ofstream(path_ + "/cpu.cfs_quota_us") << 50000;
        else if (made_)
            std::ofstream(path_ + "/cpu.max", std::ios::in) << "50000 100000";
        limited_ = made_ && os::detail::cpu_quota_of(path_, group.version) == 1u;
    }

    ~real_group()
    {
        if (made_)
            ::rmdir(path_.c_str());
    }

    real_group(const real_group&) = delete;
    real_group& operator=(const real_group&) = delete;

    bool limited() const { return limited_; }

    bool join() const { return (std::ofstream(path_ + "/cgroup.procs") << 0 << std::flush).good(); }

private:
    std::string path_;
    bool made_ = false;
    bool limited_ = false;
};

} // namespace

TEST_CASE("cpus() has one entry for each CPU that is online")
{
    CHECK(std::to_string(os::cpus().size()) == output_of("getconf _NPROCESSORS_ONLN"));
}

TEST_CASE("cpus() gives the times that /proc/stat gives")
{
    auto before = lines_of_stat();
    auto cpus = os::cpus();
    auto after = lines_of_stat();

    REQUIRE(cpus.size() == before.size());
    REQUIRE(cpus.size() == after.size());
    REQUIRE(output_of("getconf CLK_TCK") == "100"); // what lines_of_stat() counts in
    for (std::size_t index = 0; index < cpus.size(); ++index)
    {
        auto& times = cpus[index].times;
        std::array taken{times.user, times.nice, times.sys, times.idle, times.irq};
        std::array columns{0u, 1u, 2u, 3u, 5u};
        for (std::size_t each = 0; each < taken.size(); ++each)
        {
            INFO("CPU " << index << ", column " << columns[each]);
            CHECK(taken[each].count() % 10 == 0);
            // The kernel's idle time may go back by a tick: proc_stat(5).
            CHECK(taken[each].count() >= before[index][columns[each]] * 10 - 10);
            CHECK(taken[each].count() <= after[index][columns[each]] * 10 + 10);
        }
    }
}

TEST_CASE("cpus() sees work as it is done")
{
    auto before = busy();

    // The loop itself is the work.
    auto enough = [&]
    {
        for (auto end = std::clock() + CLOCKS_PER_SEC / 20; std::clock() < end;)
            ;
        return busy() >= before + 200ms;
    };
    CHECK(wait_until(20s, enough));
}

TEST_CASE("cpus() names the model and the speed that the kernel names")
{
    std::string_view cpuinfo;
    auto text = read_file("/proc/cpuinfo");
    cpuinfo = text;
    for (auto& each : os::cpus())
    {
        CHECK_FALSE(each.model.empty());
        CHECK(each.speed >= 0);
    }
    if (auto model = os::detail::field(cpuinfo, "model name"))
        CHECK(os::cpus().front().model == *model);
    if (os::detail::field(cpuinfo, "cpu MHz"))
        CHECK(os::cpus().front().speed > 0);
}

TEST_CASE("cpus() keeps apart what it is told of each CPU, also when one is offline")
{
    faked_root root;
    root.write("/proc/stat", "cpu  6 6 6 6 6 6 6 0 0 0\n"
                             "cpu0 1 2 3 4 5 6 7 0 0 0\n"
                             "cpu2 11 12 13 14 15 16 17 0 0 0\n"
                             "intr 5 6 7\nctxt 1\n");
    root.write("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Little\ncpu MHz\t\t: 999.987\n\n"
                                "processor\t: 2\nmodel name\t: Big @ 3.0GHz\n\n");
    root.write("/sys/devices/system/cpu/cpu2/cpufreq/scaling_cur_freq", "2999999\n");

    auto cpus = os::detail::cpus(root.text());

    REQUIRE(cpus.size() == 2);
    CHECK(cpus[0].model == "Little");
    CHECK(cpus[0].speed == 999);
    CHECK(cpus[0].times.user == 10ms);
    CHECK(cpus[0].times.irq == 60ms);
    CHECK(cpus[1].model == "Big @ 3.0GHz");
    CHECK(cpus[1].speed == 2999);
    CHECK(cpus[1].times.user == 110ms);
    CHECK(cpus[1].times.nice == 120ms);
    CHECK(cpus[1].times.sys == 130ms);
    CHECK(cpus[1].times.idle == 140ms);
    CHECK(cpus[1].times.irq == 160ms);
}

TEST_CASE("cpus() knows the word of each architecture for a model")
{
    struct
    {
        const char* cpuinfo;
        const char* model;
        int speed;
    } machines[] = {
        {"processor\t: 0\nmodel name\t: ARMv7 Processor rev 3\nCPU part\t: 0xd08\n",
         "ARMv7 Processor rev 3", 0},
        {"processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n\n", "Neoverse-N1", 0},
        {"processor\t: 0\nCPU part\t: 0xfff\n\n", "unknown", 0},
        {"processor\t: 0\ncpu\t\t: POWER9, altivec supported\nclock\t\t: 2300.000000MHz\n",
         "POWER9, altivec supported", 2300},
        {"system type\t: MT7621\nprocessor\t\t: 0\ncpu model\t\t: MIPS 1004Kc V2.15\n",
         "MIPS 1004Kc V2.15", 0},
        {"processor\t\t: 0\ncpu family\t\t: Loongson-64bit\nModel Name\t\t: Loongson-3A5000\n"
         "CPU MHz\t\t\t: 2500.00\n",
         "Loongson-3A5000", 2500},
        {"processor\t: 0\nhart\t\t: 0\nuarch\t\t: sifive,u74-mc\n", "sifive,u74-mc", 0},
        {"processor 0: version = 00,  identification = 0\n", "unknown", 0},
        {"", "unknown", 0},
    };
    for (auto& machine : machines)
    {
        faked_root root;
        root.write("/proc/stat", "cpu0 1 2 3 4 5 6\n");
        root.write("/proc/cpuinfo", machine.cpuinfo);

        auto cpus = os::detail::cpus(root.text());

        REQUIRE(cpus.size() == 1);
        CHECK(cpus[0].model == machine.model);
        CHECK(cpus[0].speed == machine.speed);
    }
}

TEST_CASE("cpus() skips lines that no kernel writes")
{
    faked_root root;
    root.write("/proc/stat", "cpu\ncpux 1 2 3 4 5 6\ncpu0 1 2 3\ncpu1 a b c d e f\n"
                             "cpu-1 1 2 3 4 5 6\n\ncpu5 1 2 3 4 5 6\ncpu");

    CHECK(os::detail::proc_cpus(root.text()).size() == 1);
}

TEST_CASE("cpus() has the right number of entries without /proc")
{
    auto cpus = os::detail::cpus("/nowhere");

    CHECK(std::to_string(cpus.size()) == output_of("getconf _NPROCESSORS_ONLN"));
    CHECK(cpus.front().model == "unknown");
    CHECK(cpus.front().speed == 0);
    CHECK(cpus.front().times.idle == 0ms);
}

TEST_CASE("loadavg() gives what /proc/loadavg gives")
{
    auto told = []
    {
        std::array<double, 3> averages{};
        std::ifstream file("/proc/loadavg");
        file >> averages[0] >> averages[1] >> averages[2];
        return averages;
    };
    std::array<double, 3> taken{};
    std::array<double, 3> expected{};

    // The kernel counts anew every five seconds: both looks must fall between.
    REQUIRE(wait_until(20s,
                       [&]
                       {
                           expected = told();
                           taken = os::loadavg();
                           return expected == told();
                       }));
    for (std::size_t index = 0; index < 3; ++index)
        CHECK(std::abs(taken[index] - expected[index]) <= 0.011);
}

TEST_CASE("available_parallelism() is what nproc says, within the quota")
{
    auto allowed = static_cast<unsigned>(std::stoul(output_of("env -u OMP_NUM_THREADS nproc")));

    CHECK(os::available_parallelism() ==
          std::min(allowed, os::detail::cpu_quota().value_or(allowed)));
}

TEST_CASE("available_parallelism() follows the affinity of the calling thread")
{
    affinity mine;
    for (auto number : mine.cpus())
    {
        mine.restrict_to({number});
        CHECK(os::available_parallelism() == 1);
        CHECK(output_of("env -u OMP_NUM_THREADS nproc") == "1");
    }

    mine.restrict_to(mine.cpus());
    CHECK(os::detail::allowed_cpus() == mine.cpus().size());
    CHECK(os::cpus().size() == os::detail::online_cpus()); // whatever this process may use
}

TEST_CASE("available_parallelism() is the smaller of affinity and quota, and at least 1")
{
    faked_root root;
    auto allowed = os::detail::allowed_cpus();

    write_quota(root, "10000 100000\n");
    CHECK(os::detail::available_parallelism(root.text()) == 1);
    write_quota(root, std::to_string(allowed * 100000) + " 100000\n");
    CHECK(os::detail::available_parallelism(root.text()) == allowed);
    write_quota(root, "100000000 100000\n");
    CHECK(os::detail::available_parallelism(root.text()) == allowed);
    write_quota(root, "max 100000\n");
    CHECK(os::detail::available_parallelism(root.text()) == allowed);
    CHECK(os::detail::available_parallelism("/nowhere") == allowed);
}

TEST_CASE("available_parallelism() is 1 in a real control group with half a CPU")
{
    real_group group;
    if (!group.limited())
    {
        WARN("this process may not make a control group with a quota: not tried");
        return;
    }

    auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0)
        ::_exit(group.join() ? static_cast<int>(os::available_parallelism()) : 100);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);

    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 1);
}
