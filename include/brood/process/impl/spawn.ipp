// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/loop.hpp>
#include <brood/process/detail/start.hpp>
#include <brood/process/spawn.hpp>

#include <utility>

namespace brood
{

BROOD_INLINE child_process spawn(asio::any_io_executor executor, const std::string& program,
                                 const arguments& args, const spawn_options& options)
{
    auto child = detail::start(std::move(executor), program, args, options);
    detail::begin_watch(child, options);
    return detail::child_process_core::handle(std::move(child));
}

BROOD_INLINE child_process spawn(const std::string& program, const arguments& args,
                                 const spawn_options& options)
{
    return spawn(default_executor(), program, args, options);
}

} // namespace brood
