// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/asio.hpp>

namespace brood::detail
{

/// How many children of a loop are being stopped in the background, since their handles have gone.
struct background final : asio::execution_context::service
{
    using key_type = background;
    inline static asio::execution_context::id id;

    explicit background(asio::execution_context& context)
        : asio::execution_context::service(context)
    {
    }

    void shutdown() noexcept override {}

    int stopping = 0;
};

inline background& background_of(const asio::any_io_executor& executor)
{
    return asio::use_service<background>(asio::query(executor, asio::execution::context));
}

} // namespace brood::detail
