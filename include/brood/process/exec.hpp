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
/// that cannot be started throws spawn_error.
///
/// Beyond a limit of the options the program and all that it started are ended by the stop policy,
/// SIGKILL last: they are frozen, signalled, and looked for again until nobody new is found. What
/// was printed until then is kept. When all of it has ended and somebody else still holds its
/// pipes, a daemon say, they are read for one more second. What another user runs in it, as sudo
/// does, goes on: exec_result::left_running says so.
///
/// It stands in a process group of its own, unless the options of the start name another: whoever
/// it starts is found by that also without /proc, and when the parent has gone. So a Ctrl-C does
/// not reach it, and it cannot read the terminal; on Linux it is killed when this process ends.
/// `process_group::join(::getpgrp())` leaves it in ours. Who leaves the group and loses the parent,
/// a daemon, is not found and goes on: to be adopted by this process (PR_SET_CHILD_SUBREAPER) is
/// no way for it, since the orphans of all other children, yours too, would come here with it.
///
/// Cancelled, it is ended in the same way in the background of the loop, and brood::run() waits for
/// that; when the loop itself goes, all of them are killed. Follows
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
