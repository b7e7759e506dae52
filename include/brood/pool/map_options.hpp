// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <chrono>
#include <cstddef>

namespace brood
{

/// How a range is spread over the workers of a pool. The defaults suit items that take between 100
/// ns and hours each.
///
/// Small items travel together, as a chunk: what a worker is sent and answers in one message.
/// Chunks begin with one item and grow with the measured cost of an item, until one takes
/// `chunk_time` or has `chunk_bytes`.
struct map_options
{
    /// Items per chunk; 0: from their measured cost. With 1, each item is a call of its own, as it
    /// is when the calls have a deadline.
    std::size_t chunk = 0;

    /// How long a worker should compute on one chunk. One that takes ten times as long, as its
    /// items differ, is given back unfinished, and what is left of it goes to whoever is free.
    std::chrono::steady_clock::duration chunk_time = std::chrono::milliseconds(2);

    /// How much a chunk, and its answer, may hold in bytes before it is sent. One item may hold
    /// more.
    std::size_t chunk_bytes = std::size_t{32} << 10;

    /// At most so many items are under way, or wait with their result to be taken: beyond that,
    /// nothing is read from the range until results are taken. 0: as many as keep all workers busy,
    /// two chunks for each that is computed.
    std::size_t window = 0;
};

} // namespace brood
