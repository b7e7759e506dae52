// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>
#include <brood/process/child_process.hpp>
#include <brood/process/detail/command_line.hpp>
#include <brood/process/detail/execution.hpp>
#include <brood/process/exec.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace brood
{

namespace detail
{

BROOD_INLINE task<exec_result> execute_shell(asio::any_io_executor executor, std::string command,
                                             exec_options options)
{
    arguments args("-c", command);
    return execution::run(std::make_shared<execution>(
        std::move(executor), "/bin/sh", std::move(args), std::move(options), std::move(command)));
}

BROOD_INLINE exec_result wait_for_result(asio::io_context& loop, task<exec_result> work)
{
    std::optional<exec_result> result;
    std::exception_ptr thrown;
    asio::co_spawn(loop, std::move(work),
                   [&](std::exception_ptr failed, exec_result ended)
                   {
                       thrown = failed;
                       result = std::move(ended);
                   });
    loop.run();
    if (thrown)
        std::rethrow_exception(thrown);
    return std::move(*result);
}

} // namespace detail

BROOD_INLINE task<exec_result> exec_file(asio::any_io_executor executor, std::string program,
                                         arguments args, exec_options options)
{
    auto title = detail::command_line(program, args);
    return detail::execution::run(
        std::make_shared<detail::execution>(std::move(executor), std::move(program),
                                            std::move(args), std::move(options), std::move(title)));
}

BROOD_INLINE task<exec_result> exec_file(std::string program, arguments args, exec_options options)
{
    return exec_file(default_executor(), std::move(program), std::move(args), std::move(options));
}

BROOD_INLINE task<exec_result> exec(asio::any_io_executor executor, std::string command,
                                    exec_options options)
{
    return detail::execute_shell(std::move(executor), std::move(command), std::move(options));
}

BROOD_INLINE task<exec_result> exec(std::string command, exec_options options)
{
    return exec(default_executor(), std::move(command), std::move(options));
}

BROOD_INLINE exec_result exec_file_sync(std::string program, arguments args, exec_options options)
{
    asio::io_context loop(1);
    auto work =
        exec_file(loop.get_executor(), std::move(program), std::move(args), std::move(options));
    return detail::wait_for_result(loop, std::move(work));
}

BROOD_INLINE exec_result exec_sync(std::string command, exec_options options)
{
    asio::io_context loop(1);
    auto work = exec(loop.get_executor(), std::move(command), std::move(options));
    return detail::wait_for_result(loop, std::move(work));
}

} // namespace brood
