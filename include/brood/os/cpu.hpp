// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace brood::os
{

/// How a CPU has spent its time since the machine started.
struct cpu_times
{
    std::chrono::milliseconds user{}; ///< In programs of ordinary priority.
    std::chrono::milliseconds nice{}; ///< In programs of low priority.
    std::chrono::milliseconds sys{};  ///< In the kernel, for programs.
    std::chrono::milliseconds idle{}; ///< With nothing to do.
    std::chrono::milliseconds irq{};  ///< Serving interrupts.
};

/// One logical CPU.
struct cpu
{
    std::string model; ///< As the kernel names it, "unknown" when it does not.
    int speed = 0;     ///< In MHz, now; 0 when the kernel does not say.
    cpu_times times;
};

/// The logical CPUs that are online, in the order of their numbers, whether this process may use
/// them or not.
///
/// For how many workers to start, ask available_parallelism(). Where there is no /proc/stat, the
/// entries have no model, speed and times, but their number is right. The speed is that of cpufreq;
/// without it, which is usual in virtual machines, the one in /proc/cpuinfo, where Node gives 0.
/// Follows Node's os.cpus(): https://nodejs.org/api/os.html#oscpus
std::vector<cpu> cpus();

/// How many tasks were running or waiting for a CPU: the average of the last 1, 5 and 15 minutes.
///
/// Throws std::system_error where the system does not say.
/// Follows getloadavg(3) and Node's os.loadavg(): https://nodejs.org/api/os.html#osloadavg
std::array<double, 3> loadavg();

/// How many CPUs' worth of work this process can do at once; at least 1. The default number of
/// workers.
///
/// That is the number of CPUs the calling thread may run on, or the quota of time of its control
/// group or of one above it, rounded up, whichever is less. Both can change while a program runs:
/// nothing is kept. On systems without control groups and affinity it is the number of CPUs online.
/// Follows sched_getaffinity(2), cgroups(7) and Node's os.availableParallelism():
/// https://nodejs.org/api/os.html#osavailableparallelism
unsigned available_parallelism();

} // namespace brood::os

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/os/impl/cpu.ipp>
#endif
