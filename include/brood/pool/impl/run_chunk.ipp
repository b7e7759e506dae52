// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/pool/detail/call_context.hpp>
#include <brood/pool/detail/told_failure.hpp>
#include <brood/pool/internal/run_chunk.hpp>

#include <exception>
#include <utility>

namespace brood::detail
{

BROOD_INLINE bool is_wanted() noexcept
{
    return !current_call || !current_call->is_cancelled();
}

BROOD_INLINE item_failure told_failure(const std::exception_ptr& thrown)
{
    return told_failure(thrown, current_call ? current_call->limits : nullptr);
}

BROOD_INLINE task<chunk_reply> await_chunk(item_call call, chunk_request request)
{
    chunk_answer answer(request);
    chunk_reader items(request.items);
    for (auto left = request.count; left > 0 && !answer.is_enough(); --left)
    {
        auto item = items.next();
        std::exception_ptr thrown;
        try
        {
            co_await call(answer, item);
        }
        catch (...)
        {
            thrown = std::current_exception();
        }
        auto state = co_await asio::this_coro::cancellation_state;
        if (thrown && state.cancelled() != asio::cancellation_type::none)
            std::rethrow_exception(thrown);
        if (thrown)
            answer.add_failure(thrown);
    }
    co_return answer.take();
}

} // namespace brood::detail
