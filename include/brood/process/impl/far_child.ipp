// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/child_process_core.hpp>
#include <brood/process/detail/start.hpp>
#include <brood/process/internal/far_child.hpp>

#include <utility>

namespace brood::detail
{

BROOD_INLINE forked_process start_far_child(asio::any_io_executor executor,
                                            const std::string& program, const arguments& args,
                                            const spawn_options& options, far_channel leads,
                                            far_reach reach, std::map<int, descriptor> outputs)
{
    auto child = start(std::move(executor), program, args, options);
    for (auto& [number, end] : outputs)
        child->outputs.try_emplace(number, child->executor, std::move(end));
    child->far = std::make_unique<far_reach>(std::move(reach));
    auto result = child_process_core::handle<forked_process>(child, channel(std::move(leads)));
    begin_watch(child, options);
    return result;
}

} // namespace brood::detail
