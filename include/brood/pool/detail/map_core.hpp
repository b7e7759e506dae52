// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/detail/wait_to_take.hpp>
#include <brood/base/error.hpp>
#include <brood/base/task_group.hpp>
#include <brood/pool/detail/chunk_size.hpp>
#include <brood/pool/detail/progress_meter.hpp>
#include <brood/pool/internal/map_run.hpp>
#include <brood/wire/call.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace brood::detail
{

/// A map under way. An item is in the open chunk, in a chunk that waits for a lane, in one that a
/// worker has, or in a told piece whose results wait to be taken; all of them together are bounded
/// by the window. A lane is room for one chunk under way.
class map_core : public std::enable_shared_from_this<map_core>
{
public:
    map_core(asio::any_io_executor executor, chunk_runner runner, const map_options& options,
             map_run::order told, std::optional<std::uint64_t> total)
        : executor_(std::move(executor)), runner_(std::move(runner)), options_(options),
          in_order_(told == map_run::order::as_given), size_(options),
          meter_(std::make_shared<progress_meter>(runner_.meter)), group_(executor_),
          ready_(executor_), room_(executor_)
    {
        meter_->expect(total);
    }

    void start(task<> member) { group_.start(std::move(member)); }

    /// Nobody takes results any more.
    void abandon()
    {
        abandoned_ = true;
        group_.cancel();
        pending_.clear();
        meter_->drop();
        ready_.post_all(asio::error::operation_aborted);
        room_.post_all(asio::error::operation_aborted);
    }

    brood::progress progress() const { return meter_->read(progress_meter::clock::now()); }

    // For whoever reads the range.

    chunk_writer& open() noexcept { return open_; }

    bool item_added()
    {
        ++read_;
        meter_->add(1);
        if (open_.last_size() > options_.chunk_bytes && open_.count() > 1)
        {
            auto others = open_.count() - 1; // it fails alone, if it does
            close_chunk(others, open_.take_all_but_last());
        }
        if (open_.count() >= size_.items() || open_.size() >= options_.chunk_bytes)
            close_open();
        else if (!flushing_ && pending_.empty() && running_ < lanes())
            flush_later();
        return has_room();
    }

    bool item_refused(std::exception_ptr why)
    {
        close_open();
        meter_->add(1);
        meter_->refuse();
        tell(read_, 1, {}, std::move(why));
        closed_ = ++read_;
        return has_room();
    }

    bool has_room() const noexcept { return read_ - taken_ < window(); }

    static task<> room(std::shared_ptr<map_core> self)
    {
        while (!self->has_room())
            co_await self->room_.wait();
    }

    void end_of_items(std::exception_ptr thrown)
    {
        read_all_ = true;
        thrown_ = std::move(thrown);
        close_open();
        meter_->settle();
        ready_.post_all();
    }

    // For whoever wants results.

    std::optional<taken_item> take()
    {
        drop_empty_piece();
        if (!has_ready())
        {
            if (is_at_end() && thrown_)
                std::rethrow_exception(std::exchange(thrown_, nullptr));
            return std::nullopt;
        }
        auto& oldest = told_.begin()->second;
        taken_item taken{oldest.first + oldest.read, {}, oldest.failure};
        if (!oldest.failure)
            take_outcome(oldest, taken);
        ++oldest.read;
        ++taken_;
        wake_reader();
        return taken;
    }

    static task<bool> ready(std::shared_ptr<map_core> self)
    {
        self->drop_empty_piece();
        while (!self->has_ready() && !self->is_at_end())
            co_await wait_to_take(self->ready_);
        co_return self->has_ready() || self->thrown_;
    }

    std::exception_ptr failure_of(const taken_item& taken, std::span<const std::byte> bytes) const
    {
        auto failed = decode<item_failure>(bytes);
        return std::make_exception_ptr(
            remote_error(told_.begin()->second.peer, "item " + std::to_string(taken.index),
                         std::move(failed.type), std::move(failed.text)));
    }

private:
    /// Neighbours in the range whose outcomes are known.
    struct piece
    {
        std::uint64_t first = 0;
        std::uint32_t count = 0;
        std::uint32_t read = 0; // taken already
        std::string outcomes;
        std::string peer;           // who told them
        chunk_reader reader;        // of the outcomes
        std::exception_ptr failure; // of all of them, instead
    };

    // The lanes are kept busy by as many chunks that wait.
    std::uint64_t window() const noexcept
    {
        if (options_.window != 0)
            return options_.window;
        return std::uint64_t{2} * lanes_ * size_.items();
    }

    std::size_t lanes()
    {
        lanes_ = std::max<std::size_t>(runner_.lanes(), 1);
        return lanes_;
    }

    bool has_ready() const
    {
        return !told_.empty() && (!in_order_ || told_.begin()->first == next_told_);
    }

    bool is_at_end() const noexcept { return read_all_ && taken_ == read_; }

    // A piece stays until the next one is taken, as its last value may still be looked at.
    void drop_empty_piece()
    {
        if (!has_ready())
            return;
        auto& oldest = told_.begin()->second;
        if (oldest.read < oldest.count)
            return;
        next_told_ += oldest.count;
        told_.erase(told_.begin());
    }

    void take_outcome(piece& from, taken_item& to)
    {
        try
        {
            to.value = from.reader.next();
        }
        catch (const error&) // a worker that tells less than it says
        {
            from.failure = std::current_exception();
            to.failure = from.failure;
        }
    }

    // Not for each item: what is read at once makes whole chunks.
    void wake_reader()
    {
        if (room_.empty())
            return;
        auto wanted =
            std::min<std::uint64_t>(size_.items(), std::max<std::uint64_t>(window() / 4, 1));
        if (read_ - taken_ + wanted <= window())
            room_.post_all();
    }

    // A source that does not suspend fills the chunk before this runs; one that does should not
    // keep back what a lane is free for.
    void flush_later()
    {
        flushing_ = true;
        asio::post(executor_,
                   [self = weak_from_this()]
                   {
                       auto core = self.lock();
                       if (!core)
                           return;
                       core->flushing_ = false;
                       if (core->pending_.empty() && core->running_ < core->lanes())
                           core->close_open();
                   });
    }

    void close_open()
    {
        auto count = open_.count();
        if (count != 0)
            close_chunk(count, open_.take());
    }

    void close_chunk(std::uint32_t count, std::string items)
    {
        pending_.push_back(make_chunk(closed_, count, std::move(items)));
        closed_ += count;
        launch();
    }

    chunk_request make_chunk(std::uint64_t first, std::uint32_t count, std::string items) const
    {
        auto nanoseconds = std::chrono::nanoseconds(options_.chunk_time).count();
        chunk_request made;
        made.first = first;
        made.count = count;
        made.most_time = options_.chunk != 0 ? 0 : static_cast<std::uint64_t>(nanoseconds) * 10;
        made.most_bytes = options_.chunk_bytes;
        made.items = std::move(items);
        return made;
    }

    void launch()
    {
        if (abandoned_)
            return;
        for (auto free = lanes(); running_ < free && !pending_.empty(); ++running_)
        {
            meter_->begin(pending_.front().count, progress_meter::clock::now());
            group_.start(run(shared_from_this(), std::move(pending_.front())));
            pending_.pop_front();
        }
        if (!flushing_ && !open_.empty() && running_ < lanes_)
            flush_later();
    }

    static task<> run(std::shared_ptr<map_core> self, chunk_request chunk)
    {
        chunk_reply reply;
        std::exception_ptr failure;
        try
        {
            reply = co_await self->runner_.run(chunk);
        }
        catch (...)
        {
            failure = std::current_exception();
        }
        self->ended(std::move(chunk), std::move(reply), std::move(failure));
    }

    void ended(chunk_request chunk, chunk_reply reply, std::exception_ptr failure)
    {
        --running_;
        if (abandoned_)
            return;
        if (!failure && reply.told == 0 && chunk.count <= 1)
            failure = std::make_exception_ptr(
                error(errc::failed, reply.peer + ": it gave an item back without an outcome"));
        if (failure)
        {
            meter_->end(0, chunk.count, progress_meter::clock::now());
            tell(chunk.first, chunk.count, {}, std::move(failure));
        }
        else if (reply.told == 0)
        {
            retry(chunk);
        }
        else
        {
            accept(chunk, std::move(reply));
        }
        launch();
    }

    void accept(chunk_request& chunk, chunk_reply reply)
    {
        auto count = std::min(reply.told, chunk.count);
        auto failed = std::min(reply.failed, count);
        meter_->end(count - failed, failed, progress_meter::clock::now());
        size_.measured(count, std::chrono::nanoseconds(reply.nanoseconds), reply.outcomes.size());
        if (count < chunk.count)
        {
            meter_->give_back(chunk.count - count);
            put_back(chunk, count, static_cast<std::uint32_t>(size_.items()));
        }
        tell(chunk.first, count, std::move(reply), nullptr);
    }

    // Which item ended the worker? Each is tried alone, or among fewer first when there are many.
    void retry(const chunk_request& chunk)
    {
        constexpr std::uint32_t few = 64;
        auto root = static_cast<std::uint32_t>(std::sqrt(chunk.count));
        auto each = chunk.count <= few ? 1 : root;
        size_.lost();
        meter_->give_back(chunk.count);
        meter_->retry(chunk.count);
        put_back(chunk, 0, each);
    }

    // What is left of a chunk behind its first items goes before all others, in new chunks.
    void put_back(const chunk_request& chunk, std::uint32_t done, std::uint32_t each)
    {
        chunk_reader items(chunk.items);
        for (std::uint32_t skipped = 0; skipped < done; ++skipped)
            items.next_whole();
        std::deque<chunk_request> parts;
        for (; done < chunk.count; done += parts.back().count)
        {
            auto count = std::min(each, chunk.count - done);
            std::string cut;
            for (std::uint32_t item = 0; item < count; ++item)
                cut.append(items.next_whole());
            parts.push_back(make_chunk(chunk.first + done, count, std::move(cut)));
        }
        pending_.insert(pending_.begin(), std::make_move_iterator(parts.begin()),
                        std::make_move_iterator(parts.end()));
    }

    void tell(std::uint64_t first, std::uint32_t count, chunk_reply reply,
              std::exception_ptr failure)
    {
        auto& kept = told_[in_order_ ? first : arrived_];
        arrived_ += count;
        kept.first = first;
        kept.count = count;
        kept.outcomes = std::move(reply.outcomes);
        kept.peer = std::move(reply.peer);
        kept.reader = chunk_reader(kept.outcomes);
        kept.failure = std::move(failure);
        ready_.post_all();
    }

    asio::any_io_executor executor_;
    chunk_runner runner_;
    map_options options_;
    bool in_order_;
    chunk_size size_;
    std::shared_ptr<progress_meter> meter_;

    std::uint64_t read_ = 0; // items that came from the range
    std::uint64_t closed_ =
        0; // of them in chunks that are closed: the index of the open one's first
    std::uint64_t taken_ = 0; // outcomes that were taken
    chunk_writer open_;
    std::deque<chunk_request> pending_;
    std::size_t running_ = 0;
    std::size_t lanes_ = 1; // as the runner said last
    bool flushing_ = false;
    bool read_all_ = false;
    bool abandoned_ = false;
    std::exception_ptr thrown_; // by the range

    std::map<std::uint64_t, piece> told_; // by first index, or by arrival
    std::uint64_t next_told_ = 0;         // the key of the next piece, in order
    std::uint64_t arrived_ = 0;

    task_group group_;
    wait_queue ready_;
    wait_queue room_;
};

} // namespace brood::detail
