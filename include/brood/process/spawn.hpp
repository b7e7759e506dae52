// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/asio.hpp>
#include <brood/process/arguments.hpp>
#include <brood/process/child_process.hpp>
#include <brood/process/spawn_error.hpp>
#include <brood/process/spawn_options.hpp>

#include <string>

namespace brood
{

/// Starts a program. It runs when this returns; it has ended when `exit()` says so.
///
/// A name without a slash is searched in the PATH that the child is given. The child gets exactly
/// the descriptors of the options, default signal dispositions and an empty signal mask; memory of
/// this process is never copied. Throws spawn_error, which names the program, the step that failed
/// and why; nothing of the attempt is left then. Follows
/// https://nodejs.org/api/child_process.html#child_processspawncommand-args-options
child_process spawn(asio::any_io_executor executor, const std::string& program,
                    const arguments& args = {}, const spawn_options& options = {});

/// The same on the default executor of this thread.
child_process spawn(const std::string& program, const arguments& args = {},
                    const spawn_options& options = {});

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/spawn.ipp>
#endif
