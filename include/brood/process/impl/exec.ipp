// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>
#include <brood/process/child_process.hpp>
#include <brood/process/detail/execution.hpp>
#include <brood/process/exec.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace brood
{

BROOD_INLINE task<exec_result> exec_file(asio::any_io_executor executor, std::string program,
                                         arguments args, exec_options options)
{
    return detail::execution::run(std::make_shared<detail::execution>(
        std::move(executor), std::move(program), std::move(args), std::move(options)));
}

BROOD_INLINE task<exec_result> exec_file(std::string program, arguments args, exec_options options)
{
    return exec_file(default_executor(), std::move(program), std::move(args), std::move(options));
}

BROOD_INLINE task<exec_result> exec(asio::any_io_executor executor, std::string command,
                                    exec_options options)
{
    arguments args("-c", std::move(command));
    return exec_file(std::move(executor), "/bin/sh", std::move(args), std::move(options));
}

BROOD_INLINE task<exec_result> exec(std::string command, exec_options options)
{
    return exec(default_executor(), std::move(command), std::move(options));
}

BROOD_INLINE exec_result exec_file_sync(std::string program, arguments args, exec_options options)
{
    asio::io_context loop(1);
    std::optional<exec_result> result;
    std::exception_ptr thrown;
    asio::co_spawn(
        loop,
        exec_file(loop.get_executor(), std::move(program), std::move(args), std::move(options)),
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

BROOD_INLINE exec_result exec_sync(std::string command, exec_options options)
{
    arguments args("-c", std::move(command));
    return exec_file_sync("/bin/sh", std::move(args), std::move(options));
}

} // namespace brood
