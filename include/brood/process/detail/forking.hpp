// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/process/detail/inheritance.hpp>
#include <brood/process/detail/standard_streams.hpp>
#include <brood/process/detail/start.hpp>
#include <brood/process/fork.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include <string>
#include <system_error>
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
        throw spawn_error(refused.code().value(), program, "stdio", "channel");
    }
}

/// This program, also when its file was replaced meanwhile.
inline std::string this_program()
{
    return "/proc/self/exe";
}

inline forked_process fork(asio::any_io_executor executor, const std::string& program,
                           const arguments& args, spawn_options options, const char* entry)
{
    open_standard_streams();
    auto [ours, theirs] = channel_pair(program);
    int number = 3;
    while (options.descriptors.contains(number))
        ++number;
    if (!options.env)
        options.env.emplace();
    options.env->set(channel_variable, std::to_string(number));
    options.env->unset(entry_variable);
    if (entry != nullptr)
        options.env->set(entry_variable, entry);
    options.descriptors.emplace(number, stdio::from(std::move(theirs)));
    auto child = start(executor, program, args, options);
    options.descriptors.clear(); // our copy of the child's end would keep the channel from ending
    auto name = "process " + std::to_string(child->process.pid()) + " (" + program + ")";
    channel to(executor, std::move(ours), std::move(name), options.channel);
    auto result = child_process_core::handle<forked_process>(child, std::move(to));
    begin_watch(child, options);
    return result;
}

} // namespace brood::detail
