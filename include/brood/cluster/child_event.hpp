// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/event.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace brood
{

/// Something that happened to a child of a supervisor, or to one further down.
struct child_event
{
    using kind = cluster_event::kind;

    kind what;
    std::string name;                    ///< "web", "front/web"; "pool/2" in a cluster.
    std::optional<brood::worker> worker; ///< Nothing for a whole cluster or supervisor, of which
                                         ///< `ready`, `exit` and `parked` are told.
    std::string text;                    ///< As in cluster_event.
    std::optional<exit_info> ended;      ///< How and why.
};

/// What happens to the children of a supervisor from the moment this was made, in its order: made
/// by supervisor::events(). As an event_stream.
class child_event_stream
{
public:
    explicit child_event_stream(std::shared_ptr<detail::event_queue<child_event>> queue) noexcept;

    /// The next event, or nothing when the supervisor has ended. Cancelled, it loses none.
    task<std::optional<child_event>> next();

    /// How many events were lost, as event_stream::missed().
    std::size_t missed() const noexcept;

private:
    std::shared_ptr<detail::event_queue<child_event>> queue_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/cluster/impl/child_event.ipp>
#endif
