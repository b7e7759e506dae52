// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/cluster/detail/core/cluster_core.hpp>
#include <brood/cluster/detail/core/introduction.hpp>
#include <brood/process/internal/worker_protocol.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <variant>

// Finds the worker in a slot of a cluster for another one, or waits for it, and introduces them.

namespace brood::detail
{

inline std::shared_ptr<slot> slot_with_index(const cluster_core& in, std::size_t index)
{
    for (auto& each : in.slots())
        if (each->index == index)
            return each;
    return nullptr;
}

/// Why nobody will ever be in this slot; empty when somebody is, or may come.
inline std::string why_nobody_comes(const cluster_core& in, std::size_t index)
{
    auto place = slot_with_index(in, index);
    auto name = "slot " + std::to_string(index);
    if (in.stopping())
        return name + ": the cluster is being stopped, and introduces no worker to another";
    if (!place)
        return name + ": there is none in this cluster, which has " +
               std::to_string(in.slots().size());
    if (!place->kept || !place->wanted)
        return name + ": it stays empty, as its worker is not started again";
    return {};
}

inline bool may_be_sent_to(const worker_core& worker)
{
    return worker.has_channel && !worker.has(worker_state::draining);
}

/// For a worker that asks for another.
inline task<> search_peer(std::shared_ptr<cluster_core> in, std::shared_ptr<worker_core> asking,
                          peer_request wanted)
{
    // Its channel may have ended although it lives on, by a message that made no sense.
    auto presumed_dead_until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (asking->has_channel && !asking->has(worker_state::ended))
    {
        auto never = why_nobody_comes(*in, wanted.slot);
        if (!never.empty())
        {
            refuse(*asking, wanted.slot, errc::closed, never);
            break;
        }
        auto now = std::chrono::steady_clock::now();
        auto found = slot_with_index(*in, wanted.slot)->worker;
        auto is_gone = found->id == wanted.gone && now < presumed_dead_until;
        if (!is_gone && may_be_sent_to(*found))
        {
            introduce(*asking, *found);
            break;
        }
        auto next_look = is_gone ? presumed_dead_until : now + std::chrono::hours(1);
        co_await in->changed_or(next_look);
    }
    asking->seeks.erase(wanted.slot);
}

/// A worker waits for another one, or cannot.
inline void pass_on(cluster_core& in, worker_core& waiting, const peer_door& door)
{
    try
    {
        for (auto& each : in.workers().living())
            if (each->id == door.visitor)
                let_visit(*each, waiting, door);
    }
    catch (const error&)
    {
        // The one that has asked takes nothing of what it is told.
    }
}

/// One search at a time for a worker and a slot: its answer is for all who wait there.
inline introducer introducer_of(const std::shared_ptr<cluster_core>& core)
{
    return [weak = std::weak_ptr(core)](const std::shared_ptr<worker_core>& asking,
                                        const peer_word& said)
    {
        auto in = weak.lock();
        auto wanted = std::get_if<peer_request>(&said);
        if (in && wanted == nullptr)
            pass_on(*in, *asking, std::get<peer_door>(said));
        else if (in && asking->seeks.insert(wanted->slot).second)
            asio::co_spawn(in->executor(), search_peer(in, asking, *wanted), asio::detached);
    };
}

} // namespace brood::detail
