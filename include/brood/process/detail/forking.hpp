// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/process/detail/inheritance.hpp>
#include <brood/process/detail/standard_streams.hpp>
#include <brood/process/detail/start.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/launcher.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace brood::detail
{

inline std::pair<descriptor, descriptor> channel_pair(const std::string& program)
{
    try
    {
        return local_pair();
    }
    catch (const std::system_error& refused)
    {
        auto reason = refused.code().value();
        throw spawn_error(reason, program, "stdio", "channel", {}, advice_for("stdio", reason));
    }
}

inline forked_process fork(asio::any_io_executor executor, const std::string& program,
                           const arguments& args, spawn_options options, const char* entry)
{
    if (auto elsewhere = std::exchange(options.launcher, nullptr))
        return elsewhere->launch(std::move(executor), {program, args, entry != nullptr ? entry : "",
                                                       std::move(options)});
    open_standard_streams();
    auto [ours, theirs] = channel_pair(program);
    int number = 3;
    while (options.descriptors.contains(number))
        ++number;
    if (!options.env)
        options.env.emplace();
    options.env->set(channel_variable, name_of_channel(number, theirs));
    options.env->unset(entry_variable);
    options.env->unset(parent_variable);
    if (options.die_with_parent)
        options.env->set(parent_variable, std::to_string(::getpid()));
    if (entry != nullptr)
        options.env->set(entry_variable, entry);
    options.descriptors.emplace(number, stdio::from(std::move(theirs)));
    auto title = entry != nullptr ? options.argv0 : command_line(program, args);
    auto child = start(executor, program, args, options, title);
    options.descriptors.clear(); // our copy of the child's end would keep the channel from ending
    auto& called = options.argv0.empty() ? program : options.argv0;
    auto name = "process " + std::to_string(child->process.pid()) + " (" + called + ")";
    channel to(executor, std::move(ours), std::move(name), options.channel);
    auto result = child_process_core::handle<forked_process>(child, std::move(to));
    begin_watch(child, options);
    return result;
}

} // namespace brood::detail
