// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/spawn.hpp>

#include <string>

namespace brood::test
{

/// A shell that runs this script, as a child.
child_process shell(const std::string& script, const spawn_options& options = {});

/// The same with its stdout as a pipe.
child_process printing(const std::string& script, spawn_options options = {});

/// All that a child prints to stdout until its end.
task<std::string> all_of(child_process child);

/// What a script prints to stdout.
task<std::string> printed(const std::string& script, const spawn_options& options);

// Not by a default argument: g++ 12 would destroy it twice in an await.
task<std::string> printed(const std::string& script);

/// A shell that ignores SIGTERM and only ends by SIGKILL; it does so once it has printed a line.
inline const std::string stubborn = "trap '' TERM; echo ready; while :; do sleep 0.05; done";

} // namespace brood::test
