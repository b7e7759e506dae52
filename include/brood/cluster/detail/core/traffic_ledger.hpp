// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/worker.hpp>
#include <brood/process/internal/vital_signs.hpp>
#include <brood/process/traffic.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace brood::detail
{

/// What the workers of a cluster have served, by slot. The sums never go backwards, whoever ends
/// and whatever a worker writes into its file.
class traffic_ledger
{
public:
    /// A worker has started.
    void open(std::shared_ptr<worker_core> worker)
    {
        auto& place = slots_[worker->slot];
        place.living.push_back(std::move(worker));
    }

    /// It has ended: its last figures are looked at, and stay in the sums.
    void close(worker_core& worker)
    {
        look_at(worker);
        worker.signs = {};
        worker.traffic.open_connections = worker.traffic.open_requests = 0;
        auto& place = slots_[worker.slot];
        place.ended += worker.traffic;
        std::erase_if(place.living, [&](auto& each) { return each.get() == &worker; });
    }

    /// Looks at what those that live have served until now.
    void look()
    {
        for (auto& [index, place] : slots_)
            for (auto& each : place.living)
                look_at(*each);
    }

    /// The same for one worker.
    static void look_at(worker_core& worker)
    {
        if (!worker.signs)
            return;
        auto before = worker.traffic;
        auto now = to_traffic_stats(vital_signs::read(worker.signs).traffic);
        worker.traffic = now;
        for (auto figure : {&traffic_stats::connections, &traffic_stats::requests,
                            &traffic_stats::failed_requests, &traffic_stats::bytes_received,
                            &traffic_stats::bytes_sent})
            worker.traffic.*figure = std::max(before.*figure, now.*figure);
    }

    /// When last looked: by all workers that a slot has had, those that drain included.
    traffic_stats of_slot(std::size_t index) const
    {
        auto found = slots_.find(index);
        return found == slots_.end() ? traffic_stats() : found->second.sum();
    }

    /// The same by all workers of the cluster, those whose slot is no more included.
    traffic_stats of_all() const
    {
        traffic_stats result;
        for (auto& [index, place] : slots_)
            result += place.sum();
        return result;
    }

private:
    struct account
    {
        traffic_stats ended; // the sum of those that have
        std::vector<std::shared_ptr<worker_core>> living;

        traffic_stats sum() const
        {
            auto result = ended;
            for (auto& each : living)
                result += each->traffic;
            return result;
        }
    };

    std::map<std::size_t, account> slots_;
};

} // namespace brood::detail
