// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/fork.hpp>

#include <functional>
#include <string>
#include <tuple>
#include <utility>

namespace brood::detail
{

/// Starts the process of a worker.
using worker_launcher = std::function<forked_process(const spawn_options&)>;

/// Starts workers that run `Worker`, each with these arguments behind its `process&`.
template <auto Worker, class... Args>
worker_launcher launch_entry(asio::any_io_executor executor, Args&&... args)
{
    using expected = typename arguments_of<Worker, Args...>::type;
    return [executor, values = expected(std::forward<Args>(args)...)](const spawn_options& options)
    {
        return std::apply(
            [&](auto&... each) { return fork_with<Worker>(executor, options, each...); }, values);
    };
}

/// Starts workers that run a program.
inline worker_launcher launch_program(asio::any_io_executor executor, const std::string& file,
                                      const arguments& args)
{
    return [executor, file, args](const spawn_options& options)
    {
        return brood::fork(executor, file, args, options);
    };
}

} // namespace brood::detail
