// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/internal/far_reach.hpp>
#include <brood/wire/internal/far_channel.hpp>

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

} // namespace brood::detail

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/far_child.ipp>
#endif
