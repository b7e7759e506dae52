// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/inheritance.hpp>
#include <brood/process/detail/runner.hpp>
#include <brood/process/detail/standard_streams.hpp>
#include <brood/process/detail/this_program.hpp>
#include <brood/process/internal/arrival.hpp>
#include <brood/process/internal/entries.hpp>
#include <brood/process/run.hpp>

namespace brood
{
namespace detail
{

BROOD_INLINE task<int> with_exit_code(process& self, task<> work)
{
    co_await std::move(work);
    co_return self.exit_code();
}

BROOD_INLINE int run_main(std::function<task<int>(process&)> main, const run_options& options)
{
    if (auto code = run_entry(options))
        return *code;
    open_standard_streams();
    return runner(options, take_inheritance()).run(main);
}

} // namespace detail

BROOD_INLINE std::optional<int> run_entry(const run_options& options)
{
    detail::arrive();
    if (!detail::has_entry())
        return std::nullopt;
    detail::open_standard_streams();
    auto inherited = detail::take_inheritance();
    if (auto called = process::argv(); !called.empty())
        detail::set_process_name(called.front());
    auto start = detail::find_entry(inherited.entry).start;
    return detail::runner(options, std::move(inherited)).run(start);
}

} // namespace brood
