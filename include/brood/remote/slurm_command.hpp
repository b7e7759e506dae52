// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/launch_command.hpp>
#include <brood/remote/slurm_options.hpp>

#include <string>
#include <string_view>

namespace brood
{

/// The srun that runs one worker, as a step of its own, on this node of this job: with its standard
/// streams as they are, unbuffered, and without a word of srun's own but errors.
///
/// Steps share the processors of the job with others, srun's own `--overlap`, and accounting names
/// them after the program. Its end is the worker's, see exit_by_srun(). Never send it SIGTERM: it
/// kills the worker at once. SIGKILL is for srun alone and not for what it started: it has a second
/// process, which ends the worker when the first has gone. `node` may be empty: Slurm chooses. The
/// program must be at the same path there; sbcast_command() takes it there.
launch_command srun_command(const slurm_options& options, const std::string& job,
                            const std::string& node, const worker_program& program);

/// The salloc that asks for an allocation, waits for it, and keeps it while its stdin is open.
///
/// Its stdin has to be a pipe of this process: the allocation is given back when that is closed, so
/// also when this process is killed. What it prints, slurm_allocation::parse() reads.
launch_command salloc_command(const slurm_options& options);

/// Sends a signal to a step, which srun cannot: to all processes of it. The worker knows the number
/// of its own as SLURM_STEP_ID. That it failed means little: with several nodes in the job, code
/// 225 and "Invalid job id" come from those that do not have the step, and the signal has arrived.
launch_command scancel_command(const std::string& job, const std::string& step, int signal);

/// Ends a job: what runs in it has SIGTERM, and SIGKILL some time later.
launch_command scancel_command(const std::string& job);

/// Copies a file of this machine to all nodes of a job, to this path, which Slurm does not take
/// away again.
launch_command sbcast_command(const std::string& job, const std::string& from,
                              const std::string& to);

/// What a step is called: the last part of the path of its program.
std::string step_name(std::string_view program);

/// Why a command of Slurm failed, and what to do about it: "slurm: it knows no such partition: ...
/// (srun: error: ...)". Empty when its stderr says nothing that Slurm would. Texts are those of
/// Slurm 22 to 24.
std::string slurm_failure(int code, std::string_view err);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/slurm_command.ipp>
#endif
