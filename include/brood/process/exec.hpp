// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>
#include <brood/process/arguments.hpp>
#include <brood/process/detail/execution.hpp>
#include <brood/process/exec_options.hpp>
#include <brood/process/exec_result.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace brood
{

/// Runs a program to its end and collects what it prints: `co_await exec_file("ls", {"-l"})`.
///
/// It is started when this is awaited. A code other than 0 is a result and no exception; a program
/// that cannot be started throws spawn_error. Beyond a limit of the options the program and all
/// that it started are ended, and what it printed until then is kept. When it has ended itself and
/// somebody else still holds its pipes, a grandchild say, they are read for one more second.
/// Cancelled, it is ended in the same way in the background of the loop, and brood::run() waits for
/// that; when the loop itself goes, all of them are killed. What survives SIGKILL is let go, and
/// throws errc::timed_out. A process that left the tree before, a daemon, is not found. Follows
/// https://nodejs.org/api/child_process.html#child_processexecfilefile-args-options-callback
inline task<exec_result> exec_file(asio::any_io_executor executor, std::string program,
                                   arguments args = {}, exec_options options = {})
{
    return detail::execution::run(std::make_shared<detail::execution>(
        std::move(executor), std::move(program), std::move(args), std::move(options)));
}

/// The same on the default executor of this thread.
inline task<exec_result> exec_file(std::string program, arguments args = {},
                                   exec_options options = {})
{
    return exec_file(default_executor(), std::move(program), std::move(args), std::move(options));
}

/// Runs a command by the shell, and collects what it prints: `co_await exec("ls -l | wc -l")`.
///
/// The shell reads every character of it: never put into it what somebody else wrote; exec_file()
/// passes arguments literally. A command that does not exist is a result with code 127. Follows
/// https://nodejs.org/api/child_process.html#child_processexeccommand-options-callback
inline task<exec_result> exec(asio::any_io_executor executor, std::string command,
                              exec_options options = {})
{
    arguments args("-c", std::move(command));
    return exec_file(std::move(executor), "/bin/sh", std::move(args), std::move(options));
}

/// The same on the default executor of this thread.
inline task<exec_result> exec(std::string command, exec_options options = {})
{
    return exec(default_executor(), std::move(command), std::move(options));
}

/// As exec_file(), but blocks this thread until the end: for programs without a loop, and for the
/// time before it runs.
inline exec_result exec_file_sync(std::string program, arguments args = {},
                                  exec_options options = {})
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

/// As exec(), but blocks this thread until the end.
inline exec_result exec_sync(std::string command, exec_options options = {})
{
    arguments args("-c", std::move(command));
    return exec_file_sync("/bin/sh", std::move(args), std::move(options));
}

} // namespace brood
