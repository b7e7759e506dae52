// SPDX-License-Identifier: BSL-1.0
// A worker for which the kernel has no memory left is told from one that somebody killed. A control
// group with little memory is made for it, which takes the right to do so.
#include <brood/cluster/cluster.hpp>
#include <brood/os/detail/cgroup.hpp>
#include <brood/process/fork.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::task;

namespace
{

/// A group below ours with 128 MiB, and without swap where that can be had.
class small_group
{
public:
    small_group()
    {
        auto ours = brood::os::detail::find_cgroup("memory");
        if (ours.folders.empty())
            return;
        auto folder = ours.folders.front() + "/brood-test-" + std::to_string(::getpid());
        std::error_code refused;
        if (!std::filesystem::create_directory(folder, refused))
            return;
        folder_ = folder;
        write(ours.version == 1 ? "memory.swappiness" : "memory.swap.max", "0");
        has_limit_ = write(ours.version == 1 ? "memory.limit_in_bytes" : "memory.max", "134217728");
    }

    ~small_group()
    {
        if (!folder_.empty())
            wait_until(10s, [this] { return ::rmdir(folder_.c_str()) == 0; });
    }

    small_group(const small_group&) = delete;
    small_group& operator=(const small_group&) = delete;

    bool has_limit() const noexcept { return has_limit_; }

    std::string members() const { return folder_ + "/cgroup.procs"; }

private:
    bool write(const std::string& name, const std::string& value) const
    {
        std::ofstream file(folder_ + "/" + name);
        file << value << std::flush;
        return file.good();
    }

    std::string folder_;
    bool has_limit_ = false;
};

/// Takes so much memory when it is told to that there is none left in the group.
task<> eat(brood::process& self)
{
    constexpr std::size_t enough = std::size_t{1} << 29;
    auto told = co_await self.message<int>();
    std::string eaten(told ? enough : 0, 'x');
    self.send(eaten.size()); // so that nothing is left out by the compiler
}

/// Joins the group, and tells how its worker ended, which eats or is killed.
task<> keep_one(brood::process& self, std::string members, bool eats)
{
    std::ofstream joined(members);
    joined << ::getpid() << std::flush;
    if (!joined.good())
        co_return;
    cluster_settings settings;
    settings.size = 1;
    settings.restart.when = brood::restart::temporary;
    cluster<eat> workers(settings);
    co_await workers.ready();
    if (eats)
        workers.send(1);
    else
        workers.workers().at(0).kill(SIGKILL);
    auto ended = co_await workers.exit();
    self.send(to_string(ended->cause));
}

} // namespace

TEST_CASE("a worker that the kernel killed for want of memory ended by that", "[out_of_memory]")
{
    small_group group;
    if (!group.has_limit())
    {
        WARN("no control group can be made here");
        return;
    }
    for (bool eats : {true, false})
        within(60s,
               [&group, eats]() -> task<>
               {
                   auto primary = brood::fork<keep_one>(group.members(), eats);
                   auto cause = co_await primary.message<std::string>();
                   CHECK(cause == (eats ? "out of memory" : "signalled"));
                   co_await primary.exit();
               });
}
