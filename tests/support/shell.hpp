// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/spawn.hpp>

#include <string>
#include <utility>

namespace brood::test
{

/// A shell that runs this script, as a child.
inline child_process shell(const std::string& script, const spawn_options& options = {})
{
    return spawn("/bin/sh", arguments("-c", script), options);
}

/// The same with its stdout as a pipe.
inline child_process printing(const std::string& script, spawn_options options = {})
{
    options.stdout_ = stdio::pipe();
    return shell(script, options);
}

/// All that a child prints to stdout until its end.
inline task<std::string> all_of(child_process child)
{
    auto text = co_await child.out().read_all();
    co_await child.exit();
    co_return text;
}

/// What a script prints to stdout.
inline task<std::string> printed(const std::string& script, const spawn_options& options)
{
    return all_of(printing(script, options));
}

// Not by a default argument: g++ 12 would destroy it twice in an await.
inline task<std::string> printed(const std::string& script)
{
    return all_of(printing(script));
}

/// A shell that ignores SIGTERM and only ends by SIGKILL; it does so once it has printed a line.
inline const std::string stubborn = "trap '' TERM; echo ready; while :; do sleep 0.05; done";

} // namespace brood::test
