// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/worker.hpp>
#include <brood/pool/detail/call_board.hpp>
#include <brood/pool/detail/call_record.hpp>
#include <brood/pool/detail/link_of.hpp>
#include <brood/pool/internal/call_message.hpp>
#include <brood/pool/internal/pool_call.hpp>
#include <brood/pool/pool_stats.hpp>
#include <brood/wire/internal/link.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <utility>
#include <vector>

namespace brood::detail
{

/// A worker of a pool, and the calls that are with it.
struct pool_worker : std::enable_shared_from_this<pool_worker>
{
    pool_worker(brood::worker of, call_board shared, std::size_t places)
        : handle(std::move(of)), to(link_of_channel(handle.process())), board(std::move(shared)),
          calls(places)
    {
        for (auto place = places; place != 0; --place)
            free.push_back(static_cast<std::uint32_t>(place - 1));
    }

    std::size_t load() const noexcept { return calls.size() - free.size(); }

    /// The call in a place, when it is still this one.
    std::shared_ptr<pool_call> find(std::uint32_t place, std::uint64_t number) const
    {
        if (place >= calls.size() || !calls[place] || calls[place]->record().number != number)
            return nullptr;
        return calls[place];
    }

    std::shared_ptr<pool_call> release(std::uint32_t place)
    {
        free.push_back(place);
        return std::exchange(calls[place], nullptr);
    }

    /// Whether it is in the middle of a call.
    bool is_busy() const noexcept
    {
        return std::any_of(calls.begin(), calls.end(),
                           [&](auto& each) {
                               return each &&
                                      board.is_running(each->record().place, each->record().number);
                           });
    }

    /// Whether it has begun any of its calls.
    bool has_begun_any() const noexcept
    {
        return std::any_of(calls.begin(), calls.end(),
                           [&](auto& each) {
                               return each && board.may_have_started(each->record().place,
                                                                     each->record().number);
                           });
    }

    brood::worker handle;
    std::shared_ptr<link> to;
    call_board board;
    std::vector<std::shared_ptr<pool_call>> calls; ///< By place; also those that nobody waits for.
    std::vector<std::uint32_t> free;               ///< Places.
    slot_calls* figures = nullptr;                 ///< Of its slot.
    std::uint64_t handed = 0;                      ///< Calls, from its start.
    std::uint64_t most = 0;   ///< So many calls it is given in all; 0 for any number.
    bool is_reserved = false; ///< For a call that is to be alone.
    bool is_retired = false;  ///< It is given no more calls.
    bool is_killed = false;   ///< By us, for a call that did not stop.
    bool is_ranked = false;
    std::size_t rank = 0;
    std::list<pool_worker*>::iterator at; ///< In its rank.
    std::chrono::steady_clock::time_point idle_since = std::chrono::steady_clock::now();
};

/// The workers that may be given calls, by how many they have.
class worker_ranks
{
public:
    explicit worker_ranks(std::size_t most_calls) : ranks_(most_calls + 1) {}

    /// Puts a worker where it belongs now.
    void place(pool_worker& worker)
    {
        auto load = worker.load();
        if (!worker.is_ranked)
            worker.at = ranks_[load].insert(ranks_[load].end(), &worker);
        else if (worker.rank != load)
            ranks_[load].splice(ranks_[load].end(), ranks_[worker.rank], worker.at);
        worker.is_ranked = true;
        worker.rank = load;
    }

    void remove(pool_worker& worker)
    {
        if (std::exchange(worker.is_ranked, false))
            ranks_[worker.rank].erase(worker.at);
    }

    /// The one with the fewest calls, and fewer than so many; null for none.
    pool_worker* least_loaded(std::size_t below) const
    {
        for (std::size_t load = 0; load < below && load < ranks_.size(); ++load)
            if (!ranks_[load].empty())
                return ranks_[load].front();
        return nullptr;
    }

    /// The first of those with the fewest calls that is wanted, or any of them.
    template <class Wanted>
    pool_worker* least_loaded(std::size_t below, const Wanted& wanted) const
    {
        auto any = least_loaded(below);
        if (any == nullptr)
            return nullptr;
        auto& rank = ranks_[any->rank];
        auto found = std::find_if(rank.begin(), rank.end(), wanted);
        return found != rank.end() ? *found : any;
    }

    /// One with more calls than this: the one with the most.
    pool_worker* most_loaded(std::size_t above) const
    {
        for (auto load = ranks_.size() - 1; load > above; --load)
            if (!ranks_[load].empty())
                return ranks_[load].front();
        return nullptr;
    }

private:
    std::vector<std::list<pool_worker*>> ranks_;
};

} // namespace brood::detail
