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

BROOD_INLINE absent_child stand_for_absent(asio::any_io_executor executor, const std::string& name,
                                           const spawn_options& options, far_channel leads,
                                           std::function<bool(int)> signal,
                                           std::function<std::string()> host)
{
    auto child = std::make_shared<child_process_core>(executor, name, options);
    auto printed = [&](int number, const stdio& how)
    {
        pipe_ends ends;
        if (how.what() != stdio::kind::pipe)
            return;
        if (!ends.open())
            throw spawn_error(errno, name, "stdio", "pipe", {}, advice_for("stdio", errno));
        child->outputs.try_emplace(number, executor, std::move(ends.reading));
    };
    printed(1, options.stdout_);
    printed(2, options.stderr_);
    child->process.adopt_absent(executor);
    loop_children::of(executor).add(*child);
    child->far = std::make_unique<far_reach>();
    child->far->signal = std::move(signal);
    child->far->host = std::move(host);
    child->far->told = [](const exit_status& status)
    {
        return status;
    };
    absent_child result;
    result.end = [weak = std::weak_ptr(child)](const exit_status& status)
    {
        if (auto of = weak.lock())
            of->process.conclude(status);
    };
    result.process = child_process_core::handle<forked_process>(child, channel(std::move(leads)));
    begin_watch(child, options);
    return result;
}

} // namespace brood::detail
