// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/internal/far_reach.hpp>
#include <brood/wire/internal/far_channel.hpp>

#include <functional>
#include <map>
#include <string>

namespace brood::detail
{

/// Starts the process of a launcher, which the handle then stands for together with the process
/// elsewhere: its channel leads there, and so do signals. SIGKILL is for both. `outputs` are the
/// ends of pipes, by the number of the child's, that were made before: the handle reads them as it
/// does those of stdio::pipe().
forked_process start_far_child(asio::any_io_executor executor, const std::string& program,
                               const arguments& args, const spawn_options& options,
                               far_channel leads, far_reach reach,
                               std::map<int, descriptor> outputs = {});

/// A process elsewhere that nobody here has started, so that no process of this machine stands for
/// it.
struct absent_child
{
    forked_process process;
    std::function<void(const exit_status&)> end; ///< To be called when it has ended.
};

/// The handle of one. It has a pid that no process has; `signal` does for it what it can. What it
/// prints is not seen: its pipes are at their end.
absent_child stand_for_absent(asio::any_io_executor executor, const std::string& name,
                              const spawn_options& options, far_channel leads,
                              std::function<bool(int)> signal, std::function<std::string()> host);

} // namespace brood::detail

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/far_child.ipp>
#endif
