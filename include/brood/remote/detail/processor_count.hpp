// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace brood::detail
{

/// A text for sh that prints how many processors a process may use there, or an empty line: those
/// that it may run on, and no more than the quotas of its control groups grant, rounded up. What
/// os::available_parallelism() says here.
///
/// Tests give another root than the real one, with proc/self/cgroup and sys/fs/cgroup in it.
inline std::string processor_count_text(const std::string& root = {})
{
    // No parentheses: "$((" begins a sum.
    return "{ unset OMP_NUM_THREADS OMP_THREAD_LIMIT; "
           "n=$(nproc || getconf _NPROCESSORS_ONLN); "
           // A quota is "max" or -1 where there is none.
           "grant() { [ \"$1\" -gt 0 ] && c=$((($1 - 1) / $2 + 1)) && "
           "[ \"$c\" -lt \"$n\" ] && n=$c; }; "
           // The group and all above it, of version 2 or 1.
           "walk() { g=$2; while :; do f=$1$g; "
           "[ -r \"$f/cpu.max\" ] && grant $(cat \"$f/cpu.max\"); "
           "[ -r \"$f/cpu.cfs_quota_us\" ] && "
           "grant $(cat \"$f/cpu.cfs_quota_us\" \"$f/cpu.cfs_period_us\"); "
           "[ -n \"${g%/}\" ] || break; g=${g%/*}; done; }; "
           "r=" +
           root +
           "; m=$r/sys/fs/cgroup; p=$r/proc/self/cgroup; "
           "walk \"$m\" \"$(sed -n 's/^0:://p' \"$p\")\"; "
           "walk \"$m/cpu\" \"$(sed -n 's/^[0-9]*:\\([^:]*,\\)*cpu\\(,[^:]*\\)*://p' \"$p\")\"; "
           "echo \"$n\"; } 2>/dev/null";
}

} // namespace brood::detail
