// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/detail/known_failure.hpp>
#include <brood/remote/detail/slurm_variables.hpp>
#include <brood/remote/slurm_command.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood
{
namespace detail
{

inline constexpr std::array slurm_failures{
    known_failure{"invalid partition", "it knows no such partition: sinfo lists them"},
    known_failure{"nvalid account", "this account may not be used here: sacctmgr show associations "
                                    "lists those that may"},
    known_failure{"nvalid qos", "this quality of service may not be used here"},
    known_failure{"nvalid feature", "no node has these features: sinfo -o %f lists them"},
    known_failure{"node configuration is not available",
                  "no node is what was asked for: fewer processors, less memory, other features"},
    known_failure{"ore processors requested than permitted",
                  "more processors were asked for than a node, or the allocation, has"},
    known_failure{"Memory required by task is not available",
                  "the allocation has no memory left for this worker: ask for more by memory, or "
                  "start fewer on a node"},
    known_failure{"node count specification", "the allocation does not have that many nodes"},
    known_failure{"Unable to allocate resources: Requested nodes are busy",
                  "no nodes are free now: wait longer (slurm_options::wait), or ask for less"},
    known_failure{"Requested nodes are busy",
                  "the allocation has no room: other steps that do not overlap have it"},
    known_failure{"Requested partition configuration not available now",
                  "the partition is down, or does not have that many nodes"},
    known_failure{"ime limit specification", "the time is longer than the partition allows"},
    known_failure{"Job violates accounting/QOS policy",
                  "a limit of the account is reached: sacctmgr show associations shows them"},
    known_failure{"Unable to allocate resources: Connection", "its controller does not answer"},
    known_failure{"Unable to contact slurm controller", "its controller does not answer"},
    known_failure{"Zero Bytes were transmitted or received", "its controller does not answer"},
    known_failure{"nvalid job id", "there is no such allocation any more"},
    known_failure{"xpired or invalid job", "there is no such allocation any more"},
    known_failure{"Job/step already completing", "the allocation has ended"},
    known_failure{"has expired", "the allocation has ended"},
    known_failure{"been revoked", "the allocation was taken back"},
    known_failure{"execve()", "the program is not there, or cannot be run: it must be at the same "
                              "path on each node, or be sent there (sbcast)"},
    known_failure{"Out Of Memory",
                  "it was killed as it used more memory than it may: ask for more by "
                  "memory, or start fewer on a node"},
    known_failure{"oom_kill", "it was killed as it used more memory than it may: ask for more by "
                              "memory, or start fewer on a node"},
    known_failure{"Node failure on", "the node failed"},
    known_failure{"DUE TO TIME LIMIT", "the time of the allocation is over"},
    known_failure{"DUE TO PREEMPTION", "another job took the place of this one"},
    known_failure{"DUE TO NODE FAILURE", "the node failed"},
    known_failure{"CANCELLED AT", "it was cancelled, or sent a signal"},
    known_failure{"Could not load host information", "there is no usable slurm.conf"},
    known_failure{"Unable to process configuration file", "there is no usable slurm.conf"},
    known_failure{"No space left on device", "the disk there is full"},
    known_failure{"couldn't chdir", "the directory to start in is missing there"},
    known_failure{"Unable to create step", "it could not start a step"},
    known_failure{"submit/allocate failed", "it gave no allocation"},
    known_failure{"Unable to allocate resources", "it gave no allocation"},
};

inline void add_text(std::vector<std::string>& words, const std::string& option,
                     const std::string& value)
{
    if (!value.empty())
        words.push_back("--" + option + '=' + value);
}

inline void add_number(std::vector<std::string>& words, const std::string& option,
                       std::size_t value)
{
    if (value != 0)
        words.push_back("--" + option + '=' + std::to_string(value));
}

/// What is exported: the names that were chosen, and those of the worker.
inline std::string exported(const slurm_options& options, const worker_program& program)
{
    if (options.exported == "ALL" || program.variables.empty())
        return options.exported;
    auto names = options.exported == "NONE" ? std::string() : options.exported;
    for (auto& [name, value] : program.variables)
        names += (names.empty() ? "" : ",") + name;
    return names;
}

} // namespace detail

BROOD_INLINE std::string step_name(std::string_view program)
{
    while (!program.empty() && program.back() == '/')
        program.remove_suffix(1);
    return std::string(program.substr(program.rfind('/') + 1));
}

BROOD_INLINE launch_command srun_command(const slurm_options& options, const std::string& job,
                                         const std::string& node, const worker_program& program)
{
    options.check();
    std::vector<std::string> words;
    detail::add_text(words, "jobid", job);
    detail::add_text(words, "nodelist", node);
    // One worker is one step: its end says how it ended, and takes nobody along.
    for (auto word : {"--overlap", "--exact", "--nodes=1", "--ntasks=1", "--unbuffered", "--quiet",
                      "--mpi=none"})
        words.push_back(word);
    // Since 22.05 a step does not inherit it.
    detail::add_number(words, "cpus-per-task", options.cpus_per_task);
    detail::add_text(words, "gpus-per-task", options.gpus);
    detail::add_text(words, "job-name", step_name(program.path));
    detail::add_text(words, "export", detail::exported(options, program));
    words.insert(words.end(), options.step_options.begin(), options.step_options.end());
    words.push_back("--");
    // srun's own --chdir goes on in /tmp when a directory is missing.
    if (!program.cwd.empty())
        for (auto word : {"/bin/sh", "-c", "cd \"$0\" || exit 125; exec \"$@\""})
            words.push_back(word);
    if (!program.cwd.empty())
        words.push_back((program.cwd.front() == '/' ? "" : "./") + program.cwd);
    words.push_back(program.path);
    auto& args = program.args.list();
    words.insert(words.end(), args.begin(), args.end());
    return launch_command{"srun", arguments(std::move(words)), program.variables};
}

BROOD_INLINE launch_command salloc_command(const slurm_options& options)
{
    options.check();
    // When a node fails, the workers of the others go on.
    std::vector<std::string> words{"--quiet", "--no-kill"};
    detail::add_number(words, "nodes", options.nodes);
    // Slurm gives one processor of a node, unless all of it or more is asked for.
    if (options.tasks == 0)
        words.push_back("--exclusive");
    detail::add_number(words, "ntasks", options.tasks);
    if (options.cpus_per_task > 1)
        detail::add_number(words, "cpus-per-task", options.cpus_per_task);
    detail::add_text(words, "partition", options.partition);
    detail::add_text(words, "account", options.account);
    detail::add_text(words, "qos", options.qos);
    detail::add_text(words, "constraint", options.constraint);
    detail::add_text(words, "mem", options.memory);
    detail::add_text(words, "gpus-per-task", options.gpus);
    detail::add_text(words, "job-name", options.job_name);
    if (options.time)
        words.push_back("--time=" + std::to_string(options.time->count()));
    if (options.wait)
        words.push_back("--immediate=" + std::to_string(options.wait->count()));
    words.insert(words.end(), options.allocation_options.begin(), options.allocation_options.end());
    std::string script = "printf '%s\\n'";
    for (auto name : detail::slurm_variables)
        script += " \"" + std::string(name) + "=$" + std::string(name) + '"';
    // cat ends with our end of its stdin, and the allocation with it.
    script += " '" + std::string(detail::end_of_slurm_variables) + "'; exec cat >/dev/null";
    for (std::string word : {std::string("--"), std::string("/bin/sh"), std::string("-c"), script})
        words.push_back(std::move(word));
    return launch_command{"salloc", arguments(std::move(words)), {}};
}

BROOD_INLINE launch_command scancel_command(const std::string& job, const std::string& step,
                                            int signal)
{
    return launch_command{
        "scancel", arguments("--signal=" + std::to_string(signal), job + '.' + step), {}};
}

BROOD_INLINE launch_command scancel_command(const std::string& job)
{
    return launch_command{"scancel", arguments(job), {}};
}

BROOD_INLINE launch_command sbcast_command(const std::string& job, const std::string& from,
                                           const std::string& to)
{
    return launch_command{
        "sbcast", arguments("--force", "--preserve", "--jobid=" + job, from, to), {}};
}

BROOD_INLINE std::string slurm_failure(int code, std::string_view err)
{
    constexpr std::size_t last = 4'096;
    err = err.substr(err.size() > last ? err.size() - last : 0);
    if (code == 0)
        return {};
    auto found = detail::find_failure(detail::slurm_failures, err);
    return found ? "slurm: " + *found : std::string();
}

} // namespace brood
