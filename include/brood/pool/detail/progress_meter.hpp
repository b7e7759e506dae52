// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/progress.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace brood::detail
{

/// Counts items on their way, for itself and for what it is a part of.
class progress_meter
{
public:
    using clock = std::chrono::steady_clock;

    explicit progress_meter(std::shared_ptr<progress_meter> whole = nullptr)
        : whole_(std::move(whole))
    {
    }

    /// So many more items will come; how many is told by settle() when nobody knows yet.
    void expect(std::optional<std::uint64_t> items)
    {
        is_known_ = is_known_ && items.has_value();
        change_expected(items.value_or(0), items ? 0 : 1);
    }

    /// No more items come than have been read: for who did not know before.
    void settle()
    {
        if (std::exchange(is_known_, true))
            return;
        auto read = counted_.ended() + counted_.running + counted_.waiting;
        change_expected(read - expected_, -std::uint64_t{1});
    }

    /// Items have been read.
    void add(std::uint64_t items) { change(&progress::waiting, items); }

    /// Items were given to a worker.
    void begin(std::uint64_t items, clock::time_point now)
    {
        sample(now);
        change(&progress::waiting, -items);
        change(&progress::running, items);
    }

    /// Items came back from a worker without an outcome.
    void give_back(std::uint64_t items)
    {
        change(&progress::running, -items);
        change(&progress::waiting, items);
    }

    void retry(std::uint64_t items) { change(&progress::retried, items); }

    /// Items that were given to a worker have ended.
    void end(std::uint64_t done, std::uint64_t failed, clock::time_point now)
    {
        sample(now);
        change(&progress::running, -(done + failed));
        change(&progress::done, done);
        change(&progress::failed, failed);
    }

    /// An item ended that no worker was given.
    void refuse()
    {
        change(&progress::waiting, -std::uint64_t{1});
        change(&progress::failed, 1);
    }

    /// A call ended that nobody had expected or counted before.
    void count(bool done, clock::time_point now)
    {
        sample(now);
        change(done ? &progress::done : &progress::failed, 1);
        change_expected(1, 0);
    }

    /// Whoever counted gives up: what has not ended never will.
    void drop()
    {
        change(&progress::running, -counted_.running);
        change(&progress::waiting, -counted_.waiting);
        settle();
        change_expected(counted_.ended() - expected_, 0);
    }

    progress read(clock::time_point now) const
    {
        auto told = counted_;
        if (unknown_ == 0 && (expected_ != 0 || told.ended() == 0))
            told.total = expected_;
        if (samples_.empty())
            return told;
        told.elapsed = now - begin_;
        auto from = samples_.front();
        for (auto& each : samples_)
            if (now - each.when >= window)
                from = each;
        std::chrono::duration<double> time = now - from.when;
        if (time.count() > 0)
            told.rate = static_cast<double>(told.ended() - from.ended) / time.count();
        return told;
    }

private:
    static constexpr auto window = std::chrono::seconds(10);
    static constexpr auto distance = std::chrono::milliseconds(250);

    struct point
    {
        clock::time_point when;
        std::uint64_t ended;
    };

    void change(std::uint64_t progress::*count, std::uint64_t by)
    {
        counted_.*count += by;
        if (whole_)
            whole_->change(count, by);
    }

    void change_expected(std::uint64_t items, std::uint64_t unknown)
    {
        expected_ += items;
        unknown_ += unknown;
        if (whole_)
            whole_->change_expected(items, unknown);
    }

    // Before what ends now is counted: the first one is the beginning.
    void sample(clock::time_point now)
    {
        if (whole_)
            whole_->sample(now);
        if (samples_.empty())
            begin_ = now;
        else if (now - samples_.back().when < distance)
            return;
        samples_.push_back({now, counted_.ended()});
        while (samples_.size() > 2 && now - samples_[1].when >= window)
            samples_.pop_front();
    }

    progress counted_; // without what depends on the time, and without the total
    std::uint64_t expected_ = 0;
    std::uint64_t unknown_ = 0; // how many who count here do not know how much will come
    bool is_known_ = true;      // whether we are none of them
    std::shared_ptr<progress_meter> whole_;
    clock::time_point begin_;
    std::deque<point> samples_; // the newest last, and one that is older than the window
};

} // namespace brood::detail
