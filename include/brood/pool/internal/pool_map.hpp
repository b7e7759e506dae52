// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/call_options.hpp>
#include <brood/pool/internal/chunk_call.hpp>
#include <brood/pool/internal/map_run.hpp>
#include <brood/pool/internal/run_chunk.hpp>
#include <brood/pool/internal/summary.hpp>

#include <memory>
#include <span>
#include <string>

namespace brood::detail
{

/// How the chunks of a map are computed by a pool.
chunk_runner pool_runner(std::shared_ptr<pool_core> in, const call_options& options,
                         chunk_call::summary_function summary);

asio::any_io_executor executor_of(const pool_core& of);

/// The arguments that an item is, for people.
template <class Arguments>
std::string summary_of_item(std::span<const std::byte> item)
{
    return summary_of(read_item<Arguments>(item));
}

} // namespace brood::detail

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/pool/impl/pool_map.ipp>
#endif
