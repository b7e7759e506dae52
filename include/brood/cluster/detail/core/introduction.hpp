// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/process/internal/peer_channel.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/wire/internal/control.hpp>
#include <brood/wire/internal/link.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <variant>

// Two workers that are to speak with each other directly.

namespace brood::detail
{

/// What a worker says for it.
using peer_word = std::variant<peer_request, peer_door>;

/// What becomes of that.
using introducer = std::function<void(const std::shared_ptr<worker_core>&, const peer_word&)>;

inline std::string name_of(const worker_core& worker)
{
    peer_identity who{worker.id, worker.slot, host_of(worker)};
    return to_string(who);
}

/// Says to a worker why it cannot speak with the one in a slot.
inline void refuse(worker_core& asking, std::uint32_t slot, errc why, std::string text)
{
    peer_introduction none;
    none.slot = slot;
    none.refusal = static_cast<std::int32_t>(why);
    none.text = std::move(text);
    send_control(*asking.process.link(), none);
}

inline void refuse_lone_worker(const std::shared_ptr<worker_core>& asking, const peer_word& said)
{
    auto wanted = std::get_if<peer_request>(&said);
    if (wanted == nullptr)
        return;
    refuse(*asking, wanted->slot, errc::closed,
           name_of(*asking) + " is the child of a supervisor, not of a cluster: it has no peers");
}

/// Hands a worker its end of a channel to another one.
inline void hand_end(worker_core& to, const worker_core& other, descriptor end)
{
    peer_introduction said;
    said.slot = static_cast<std::uint32_t>(other.slot);
    said.id = other.id;
    said.host = host_of(other);
    send_control(*to.process.link(), said, std::move(end));
}

/// Tells one of two that are not on this machine how it comes to a channel to the other.
inline void tell_way(worker_core& to, const worker_core& other, peer_introduction said)
{
    said.slot = static_cast<std::uint32_t>(other.slot);
    said.id = other.id;
    said.host = host_of(other);
    said.text = name_of(to);
    send_control(*to.process.link(), said);
}

inline bool is_encrypted(worker_core& worker)
{
    return worker.process.link()->sending().through() != nullptr;
}

/// The first of them waits for the other one, and will say where.
inline void let_wait(worker_core& waiting, worker_core& visiting)
{
    peer_introduction said;
    said.way = peer_way::waits;
    said.encrypted = is_encrypted(waiting) || is_encrypted(visiting);
    tell_way(waiting, visiting, std::move(said));
}

/// It has said where.
inline void let_visit(worker_core& visiting, worker_core& waiting, const peer_door& door)
{
    if (!door.text.empty())
        return refuse(visiting, static_cast<std::uint32_t>(waiting.slot), errc::not_local,
                      name_of(waiting) + ": " + door.text);
    peer_introduction said;
    said.way = peer_way::visits;
    said.endpoint = door.endpoint;
    said.secret = door.secret;
    said.certificate = door.certificate;
    tell_way(visiting, waiting, std::move(said));
}

/// Introduces two workers, of which one has asked for the other.
inline void introduce(worker_core& asking, worker_core& other)
{
    auto slot = static_cast<std::uint32_t>(other.slot);
    try
    {
        if (asking.is_elsewhere || other.is_elsewhere)
            return let_wait(other, asking);
        auto [one, two] = local_pair();
        hand_end(other, asking, std::move(two));
        hand_end(asking, other, std::move(one));
    }
    catch (const error& unread) // it takes nothing of what it is told
    {
        refuse(asking, slot, errc::closed, unread.text());
    }
    catch (const std::system_error& refused)
    {
        refuse(asking, slot, errc::descriptors_lost,
               "the primary cannot open a channel to " + name_of(other) + ": " + refused.what());
    }
}

} // namespace brood::detail
