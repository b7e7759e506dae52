// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/all.hpp>
#include <brood/base/detail/asio.hpp>

namespace brood
{

BROOD_INLINE task<> detail::join_all(std::vector<task<>> members, std::size_t at_most)
{
    auto executor = co_await asio::this_coro::executor;
    task_group group(executor, at_most);
    for (auto& member : members)
        group.start(std::move(member));
    co_await group.join();
}

BROOD_INLINE task<> all(std::vector<task<>> members, std::size_t at_most)
{
    return detail::join_all(std::move(members), at_most);
}

} // namespace brood
