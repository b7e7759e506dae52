// SPDX-License-Identifier: BSL-1.0
#include "support/shell.hpp"

#include <utility>

namespace brood::test
{

child_process shell(const std::string& script, const spawn_options& options)
{
    return spawn("/bin/sh", arguments("-c", script), options);
}

child_process printing(const std::string& script, spawn_options options)
{
    options.stdout_ = stdio::pipe();
    return shell(script, options);
}

task<std::string> all_of(child_process child)
{
    auto text = co_await child.out().read_all();
    co_await child.exit();
    co_return text;
}

task<std::string> printed(const std::string& script, const spawn_options& options)
{
    return all_of(printing(script, options));
}

task<std::string> printed(const std::string& script)
{
    return all_of(printing(script));
}

} // namespace brood::test
