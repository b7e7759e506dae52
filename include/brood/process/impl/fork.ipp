// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/forking.hpp>
#include <brood/process/detail/this_program.hpp>
#include <brood/process/fork.hpp>

#include <stdexcept>

namespace brood
{
namespace detail
{

BROOD_INLINE forked_process fork_entry(asio::any_io_executor executor, const spawn_options& options,
                                       const entry& start)
{
    if (has_entry())
        throw std::logic_error("brood: this process was started for an entry of this program and "
                               "has not run it: main() must call brood::run() or "
                               "brood::run_entry() before it forks");
    auto& known = find_entry(start.name);
    auto ours = this_program::find();
    auto named = options;
    if (named.argv0.empty())
        named.argv0 = ours.name + ": " + entry_title(known.name);
    auto& file = options.entry_program.empty() ? ours.file : options.entry_program;
    return fork(std::move(executor), file, {}, std::move(named), known.name);
}

} // namespace detail

BROOD_INLINE forked_process fork(asio::any_io_executor executor, const std::string& program,
                                 const arguments& args, const spawn_options& options)
{
    return detail::fork(std::move(executor), program, args, options, nullptr);
}

BROOD_INLINE forked_process fork(const std::string& program, const arguments& args,
                                 const spawn_options& options)
{
    return fork(default_executor(), program, args, options);
}

} // namespace brood
