// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/detail/pool_core.hpp>
#include <brood/pool/internal/pool_map.hpp>
#include <brood/pool/worker_lost.hpp>

#include <memory>
#include <utility>

namespace brood::detail
{

// A chunk of several items is tried once: which of them ended its worker is found by trying them
// alone, each as often as a call is.
BROOD_INLINE task<chunk_reply> call_chunk(std::shared_ptr<pool_core> in,
                                          std::shared_ptr<chunk_call> call, call_options options,
                                          bool is_alone)
{
    auto policy = options.attempts.value_or(in->settings().attempts);
    auto splits = policy.repeats() && !is_alone;
    if (splits)
        options.attempts = at_least_once(1);
    awaited_call awaited(in, call, options);
    bool lost = false;
    try
    {
        while (!awaited.has_ended())
            co_await awaited.change();
        awaited.rethrow_failure();
    }
    catch (const worker_lost&)
    {
        if (!splits)
            throw;
        lost = true;
    }
    if (lost)
        co_return chunk_reply();
    co_return call->give();
}

BROOD_INLINE asio::any_io_executor executor_of(const pool_core& of)
{
    return of.executor();
}

BROOD_INLINE chunk_runner pool_runner(std::shared_ptr<pool_core> in, const call_options& options,
                                      chunk_call::summary_function summary)
{
    chunk_runner made;
    made.run = [in, options, summary](const chunk_request& chunk)
    {
        return call_chunk(in, std::make_shared<chunk_call>(chunk, summary), options,
                          chunk.count == 1);
    };
    // The time of an item that has a deadline does not begin behind another one.
    auto ahead = options.deadline.count() > 0 ? 0U : 1U;
    made.lanes = [in, ahead]
    {
        return in->lanes(ahead);
    };
    made.meter = in->meter();
    return made;
}

} // namespace brood::detail
