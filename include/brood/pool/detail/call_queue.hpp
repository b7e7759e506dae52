// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/detail/call_record.hpp>
#include <brood/pool/internal/pool_call.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace brood::detail
{

/// Calls that wait for a worker: the highest priority first, each in their order.
class call_queue
{
public:
    using call = std::shared_ptr<pool_call>;

    std::size_t size() const noexcept { return size_; }

    bool empty() const noexcept { return size_ == 0; }

    void push(call added)
    {
        auto& mine = lines_[added->record().priority];
        with_key_ += added->record().affinity ? 1U : 0U;
        mine.push_back(std::move(added));
        ++size_;
    }

    /// One that was taken out and comes back: before the others of its priority.
    void push_front(call returned)
    {
        auto& mine = lines_[returned->record().priority];
        with_key_ += returned->record().affinity ? 1U : 0U;
        mine.push_front(std::move(returned));
        ++size_;
    }

    /// The next one, which is there; of the first few of its priority one that prefers the worker,
    /// if any does.
    template <class Prefers>
    call take(const Prefers& prefers)
    {
        auto first = lines_.begin();
        auto next = first->second.begin();
        if (with_key_ != 0)
        {
            auto few = next + static_cast<std::ptrdiff_t>(
                                  std::min<std::size_t>(first->second.size(), looked_at));
            auto found = std::find_if(next, few, prefers);
            next = found != few ? found : next;
        }
        auto result = std::move(*next);
        erase(first, next);
        with_key_ -= result->record().affinity ? 1U : 0U;
        return result;
    }

    /// How many of them are wanted.
    template <class Wanted>
    std::size_t count(const Wanted& wanted) const
    {
        std::size_t found = 0;
        for (auto& [priority, calls] : lines_)
            found += static_cast<std::size_t>(std::count_if(calls.begin(), calls.end(), wanted));
        return found;
    }

    /// False when it is not here.
    bool remove(const call& unwanted)
    {
        auto mine = lines_.find(unwanted->record().priority);
        if (mine == lines_.end())
            return false;
        auto found = std::find(mine->second.begin(), mine->second.end(), unwanted);
        if (found == mine->second.end())
            return false;
        erase(mine, found);
        with_key_ -= unwanted->record().affinity ? 1U : 0U;
        return true;
    }

private:
    using line = std::deque<call>;
    using lines = std::map<int, line, std::greater<>>;

    static constexpr std::size_t looked_at = 32;

    void erase(lines::iterator from, line::iterator which)
    {
        from->second.erase(which);
        --size_;
        if (from->second.empty() && lines_.size() > 1)
            lines_.erase(from); // the last one is kept, and with it its memory
    }

    lines lines_;
    std::size_t size_ = 0;
    std::size_t with_key_ = 0;
};

} // namespace brood::detail
