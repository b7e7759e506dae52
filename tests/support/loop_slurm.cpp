// SPDX-License-Identifier: BSL-1.0
#include "support/loop_slurm.hpp"

#include <brood/process/exec.hpp>
#include <brood/process/spawn.hpp>

#include <netdb.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace brood::test
{

using namespace std::chrono_literals;

namespace
{

/// The name of this machine without its domain, by which Slurm knows it.
std::string short_name()
{
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    std::string text(name.data());
    return text.substr(0, text.find('.'));
}

bool resolves(const std::string& name)
{
    addrinfo* found = nullptr;
    if (::getaddrinfo(name.c_str(), nullptr, nullptr, &found) != 0)
        return false;
    ::freeaddrinfo(found);
    return true;
}

std::string user_name()
{
    auto entry = ::getpwuid(::geteuid());
    return entry == nullptr ? "" : entry->pw_name;
}

} // namespace

std::string loop_slurm::missing()
{
    for (auto program : {"slurmctld", "slurmd", "srun", "salloc", "scancel", "sbcast", "sinfo"})
        if (installed(program).empty())
            return std::string(program) + " is not installed (Debian: slurm-wlm)";
    if (!resolves(short_name()))
        return "the name of this machine, " + short_name() + ", does not resolve";
    return user_name().empty() ? "this user has no name" : "";
}

loop_slurm::loop_slurm(unsigned processors_of_a_node)
{
    // Somebody else may take a port between the question and the start.
    for (int attempt = 0; attempt < 3; ++attempt)
    {
        write_configuration(processors_of_a_node);
        ::setenv("SLURM_CONF", (folder_ / "slurm.conf").c_str(), 1);
        if (start_all())
            return;
        end_all();
    }
    ::unsetenv("SLURM_CONF");
    throw std::runtime_error("Slurm did not start: " + read_file(folder_ / "slurmctld.out") +
                             read_file(folder_ / "slurmd.n1.out"));
}

loop_slurm::~loop_slurm()
{
    end_all();
    ::unsetenv("SLURM_CONF");
}

std::vector<pid_t> loop_slurm::step_daemons() const
{
    std::vector<pid_t> found;
    std::error_code gone;
    for (auto& entry : std::filesystem::directory_iterator("/proc", gone))
    {
        auto pid = std::atoi(entry.path().filename().c_str());
        auto line = pid > 0 ? find_process(pid) : std::nullopt;
        if (line && line->name == "slurmstepd" &&
            read_file(entry.path() / "environ").find(folder_.path().string()) != std::string::npos)
            found.push_back(pid);
    }
    return found;
}

void loop_slurm::write_configuration(unsigned processors_of_a_node)
{
    auto here = folder_.path().string() + '/';
    auto machine = short_name(), me = user_name();
    std::filesystem::create_directories(here + "state");
    auto text = "ClusterName=loop\n"
                "SlurmctldHost=" +
                machine +
                "(127.0.0.1)\n"
                "SlurmctldPort=" +
                std::to_string(free_port()) +
                "\n"
                "SlurmUser=" +
                me +
                "\n"
                "SlurmdUser=" +
                me +
                "\n"
                "AuthType=auth/none\n"
                "CredType=cred/none\n"
                "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny\n"
                "MpiDefault=none\n"
                "ProctrackType=proctrack/linuxproc\n"
                "TaskPlugin=task/none\n"
                "SwitchType=switch/none\n"
                "JobAcctGatherType=jobacct_gather/none\n"
                "AccountingStorageType=accounting_storage/none\n"
                "SelectType=select/cons_tres\n"
                "SelectTypeParameters=CR_CPU\n"
                "SchedulerType=sched/backfill\n"
                "ReturnToService=2\n"
                "SlurmdParameters=config_overrides\n"
                "KillWait=3\n"
                "InactiveLimit=30\n"
                "SlurmctldPidFile=" +
                here +
                "slurmctld.pid\n"
                "SlurmdPidFile=" +
                here +
                "slurmd.%n.pid\n"
                "SlurmctldLogFile=" +
                here +
                "slurmctld.log\n"
                "SlurmdLogFile=" +
                here +
                "slurmd.%n.log\n"
                "StateSaveLocation=" +
                here +
                "state\n"
                "SlurmdSpoolDir=" +
                here +
                "spool.%n\n"
                "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n";
    for (std::string node : nodes)
    {
        std::filesystem::create_directories(here + "spool." + node);
        text += "NodeName=" + node + " NodeHostname=" + machine +
                " NodeAddr=127.0.0.1 Port=" + std::to_string(free_port()) +
                " CPUs=" + std::to_string(processors_of_a_node) + " State=UNKNOWN\n";
    }
    folder_.write("slurm.conf", text);
}

child_process& loop_slurm::start(const std::string& daemon, const std::string& node)
{
    spawn_options options;
    options.stdin_ = stdio::ignore();
    options.stdout_ = stdio::write(folder_ / (daemon + (node.empty() ? "" : '.' + node) + ".out"));
    options.stderr_ = stdio::same_as_stdout();
    options.group = process_group::new_session();
    options.die_with_parent = true;
    options.on_drop = on_drop::kill;
    std::vector<std::string> words{"-D"};
    if (!node.empty())
        words.insert(words.end(), {"-N", node});
    return daemons_.emplace_back(
        spawn(loop_.get_executor(), installed(daemon), arguments(words), options));
}

bool loop_slurm::all_idle()
{
    loop_.restart();
    loop_.poll();
    auto limit = exec_options().timeout(2s);
    auto said = exec_file_sync("sinfo", {"-h", "-N", "-t", "idle", "-o", "%N"}, limit);
    return said.success() && said.out.find("n1") != std::string::npos &&
           said.out.find("n2") != std::string::npos;
}

bool loop_slurm::start_all()
{
    start("slurmctld", "");
    for (auto node : nodes)
        start("slurmd", node);
    bool ended = false;
    auto idle = wait_until(20s,
                           [&]
                           {
                               auto all = all_idle();
                               for (auto& daemon : daemons_)
                                   ended = ended || daemon.status();
                               return all || ended;
                           });
    return idle && !ended;
}

void loop_slurm::end_all()
{
    for (auto& daemon : daemons_)
    {
        daemon.kill_tree(SIGKILL);
        asio::co_spawn(loop_, daemon.exit(), asio::detached);
    }
    loop_.restart();
    loop_.run_for(5s);
    daemons_.clear();
    end_all_that_know(folder_.path().string());
}

} // namespace brood::test
