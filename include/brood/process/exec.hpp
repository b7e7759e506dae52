// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/process/arguments.hpp>
#include <brood/process/exec_options.hpp>
#include <brood/process/exec_result.hpp>
#include <brood/process/spawn_error.hpp>

#include <string>

namespace brood
{

/// Runs a program to its end and collects what it prints: `co_await exec_file("ls", {"-l"})`.
///
/// It is started when this is awaited. A code other than 0 is a result and no exception; a program
/// that cannot be started throws spawn_error. Beyond a limit of the options the program and all
/// that it started are ended, and what it printed until then is kept. When it has ended itself and
/// somebody else still holds its pipes, a grandchild say, they are read for one more second.
/// Cancelled, it is ended in the same way in the background of the loop, and brood::run() waits for
/// that; when the loop itself goes, all of them are killed. What survives SIGKILL is detached, and
/// throws errc::timed_out. A process that left the tree before, a daemon, is not found. Follows
/// https://nodejs.org/api/child_process.html#child_processexecfilefile-args-options-callback
task<exec_result> exec_file(asio::any_io_executor executor, std::string program,
                            arguments args = {}, exec_options options = {});

/// The same on the default executor of this thread.
task<exec_result> exec_file(std::string program, arguments args = {}, exec_options options = {});

/// Runs a command by the shell, and collects what it prints: `co_await exec("ls -l | wc -l")`.
///
/// The shell reads every character of it: never put into it what somebody else wrote; exec_file()
/// passes arguments literally. A command that does not exist is a result with code 127. Follows
/// https://nodejs.org/api/child_process.html#child_processexeccommand-options-callback
task<exec_result> exec(asio::any_io_executor executor, std::string command,
                       exec_options options = {});

/// The same on the default executor of this thread.
task<exec_result> exec(std::string command, exec_options options = {});

/// As exec_file(), but blocks this thread until the end: for programs without a loop, and for the
/// time before it runs.
exec_result exec_file_sync(std::string program, arguments args = {}, exec_options options = {});

/// As exec(), but blocks this thread until the end.
exec_result exec_sync(std::string command, exec_options options = {});

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/exec.ipp>
#endif
