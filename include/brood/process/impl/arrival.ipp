// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/inheritance.hpp>
#include <brood/process/internal/arrival.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace brood::detail
{

BROOD_INLINE void arrive()
{
    auto mark = std::getenv(elsewhere_variable);
    auto is_sent = mark != nullptr && std::string_view(mark) == "stdin";
    auto comes_by_itself = std::getenv(join_variable) != nullptr && inherited_channel() == -1;
    if (!is_sent && !comes_by_itself)
        return;
    if (go_to_primary != nullptr)
        return go_to_primary();
    std::fputs("brood: this program was started as a worker of another machine, and cannot go "
               "there: include <brood/remote.hpp> in it, and link brood-remote\n",
               stderr);
    std::_Exit(1);
}

BROOD_INLINE void leave_inheritance(descriptor channel, std::shared_ptr<cipher> through,
                                    const std::string& entry, const std::string& worker,
                                    const std::string& primary)
{
    left_cipher = std::move(through);
    auto set = [](const char* name, const std::string& value)
    {
        if (value.empty())
            ::unsetenv(name);
        else
            ::setenv(name, value.c_str(), 1);
    };
    set(channel_variable, name_of_channel(channel.get(), channel));
    set(entry_variable, entry);
    set(worker_variable, worker);
    set(parent_variable, {});
    set(elsewhere_variable, primary);
    [[maybe_unused]] auto left = channel.release();
}

} // namespace brood::detail
