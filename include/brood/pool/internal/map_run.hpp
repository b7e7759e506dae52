// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/asio.hpp>
#include <brood/base/task.hpp>
#include <brood/pool/internal/chunk.hpp>
#include <brood/pool/map_options.hpp>
#include <brood/pool/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace brood::detail
{

class map_core;
class progress_meter;

/// Who computes the chunks of a map.
struct chunk_runner
{
    /// Has a chunk computed. The request lives until the task has ended. When a worker was lost
    /// with several items and they may be tried again, the reply tells nothing; the map then finds
    /// out which of them it was. What this throws is what became of each item of the chunk.
    std::function<task<chunk_reply>(const chunk_request&)> run;

    /// How many chunks may be under way at once; asked again with each chunk.
    std::function<std::size_t()> lanes;

    std::shared_ptr<progress_meter> meter; ///< Counts the items of all maps; may be null.
};

/// The outcome of an item that a map has told last.
struct taken_item
{
    std::uint64_t index = 0;
    std::span<const std::byte> value; ///< Until the next one is taken.
    std::exception_ptr failure;       ///< Instead of a value.
};

/// A range on its way through the workers: what does not depend on the types of items and results.
///
/// Whoever reads the range adds its items, while there is room; whoever wants results takes them. A
/// handle: the coroutines that work for it are cancelled when it is dropped.
class map_run
{
public:
    /// In order, or as they come.
    enum class order
    {
        as_given,
        as_completed,
    };

    /// `total` is the length of the range, when it is known.
    map_run(asio::any_io_executor executor, chunk_runner runner, const map_options& options,
            order told, std::optional<std::uint64_t> total);
    map_run(map_run&&) noexcept = default;
    map_run& operator=(map_run&& other) noexcept;
    ~map_run();

    /// Starts what adds the items.
    void start(task<> feeder);

    const std::shared_ptr<map_core>& core() const noexcept { return core_; }

private:
    std::shared_ptr<map_core> core_;
};

/// An outcome, when there is one that may be told now. Throws, once, what the range threw, when
/// everything before has been told.
std::optional<taken_item> take_item(map_core& from);

/// Suspends until take_item() gives something, or throws; false when nothing more will come.
task<bool> item_ready(std::shared_ptr<map_core> from);

progress progress_of(const map_core& of);

/// Where an item is to be added, and item_added() called then.
chunk_writer& open_chunk(map_core& of);

/// Whether there is room for more: when false, map_room() has to be awaited.
bool item_added(map_core& to);

/// Counts an item that cannot be sent as one that failed; else as item_added().
bool item_refused(map_core& to, std::exception_ptr why);

task<> map_room(std::shared_ptr<map_core> of);

/// Nothing more comes; the range threw when there is an exception.
void end_of_items(map_core& of, std::exception_ptr thrown = nullptr);

/// What the failure of the item that was taken last is here. Throws brood::error (malformed) when
/// it is none.
std::exception_ptr failure_of(const map_core& of, const taken_item& taken,
                              std::span<const std::byte> failure);

} // namespace brood::detail

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/pool/impl/map_run.ipp>
#endif
