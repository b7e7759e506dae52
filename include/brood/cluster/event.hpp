// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/worker.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace brood
{

/// Something that happened to a worker of a cluster.
struct cluster_event
{
    enum class kind
    {
        fork,       ///< Its process was started, in the turn of the loop before this.
        online,     ///< Its loop runs; its code comes next.
        ready,      ///< It can be given work.
        listening,  ///< It listens: see `text`.
        disconnect, ///< Its channel has closed.
        hung,       ///< Its loop stands still, and it is killed: see `text`.
        spared,     ///< Its loop stands still, and it is let be: see `text`.
        exit,       ///< It has ended: see `ended`.
        parked,     ///< Its slot stays empty: it failed too often, or gave up.
        /// By its end, which is told next, its host failed too often: see `text`. No worker is
        /// started there for some time.
        host_set_aside,
    };

    kind what;
    brood::worker worker;
    std::string text;               ///< Where it listens, what it did when it hung, which host.
    std::optional<exit_info> ended; ///< How and why.
};

namespace detail
{

template <class Event>
class event_queue;

} // namespace detail

/// What happens in a cluster from the moment this was made, in its order: made by
/// cluster::events().
///
/// Each observer gets every event. One that does not look for a long time loses the oldest, and is
/// told how many.
class event_stream
{
public:
    explicit event_stream(std::shared_ptr<detail::event_queue<cluster_event>> queue) noexcept;

    /// The next event, or nothing when the cluster has ended. Cancelled, it loses none.
    task<std::optional<cluster_event>> next();

    /// How many events were lost, because more than 65,536 waited, or the ends among them had more
    /// than 16 MiB of last output.
    std::size_t missed() const noexcept;

private:
    std::shared_ptr<detail::event_queue<cluster_event>> queue_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/cluster/impl/event.ipp>
#endif
