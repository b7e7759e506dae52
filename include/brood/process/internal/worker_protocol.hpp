// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/wire/internal/control.hpp>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

// What a worker and its primary say to each other, as plain messages: a process asks and a cluster
// answers, and neither knows the other.

namespace brood::detail
{

inline constexpr auto worker_variable = "BROOD_WORKER";

/// Says that this process is a worker elsewhere: `stdin` when it is to be told more there, which is
/// no secret, and afterwards who its primary is.
inline constexpr auto elsewhere_variable = "BROOD_ELSEWHERE";

/// Names the primary to which a process goes by itself, to be a worker of it.
inline constexpr auto join_variable = "BROOD_JOIN";

/// Which worker of its cluster a process is.
struct worker_identity
{
    std::uint64_t id = 0;   ///< Counted from 1, never used twice.
    std::uint32_t slot = 0; ///< Its place, which its successor takes over.

    friend bool operator==(const worker_identity&, const worker_identity&) = default;
};

inline std::string to_string(const worker_identity& worker)
{
    return std::to_string(worker.id) + '.' + std::to_string(worker.slot);
}

/// Reads what to_string wrote.
inline worker_identity to_worker_identity(const std::string& text)
{
    char* rest = nullptr;
    worker_identity result;
    result.id = std::strtoull(text.c_str(), &rest, 10);
    if (*rest == '.')
        result.slot = static_cast<std::uint32_t>(std::strtoul(rest + 1, nullptr, 10));
    return result;
}

// ---- A worker says

/// Its loop runs, and its code comes next.
struct online_notice
{
    template <class Archive>
    void serialize(Archive&)
    {
    }
};

/// It can be given work.
struct ready_notice
{
    template <class Archive>
    void serialize(Archive&)
    {
    }
};

/// It wants to accept connections, or to receive datagrams, at an address.
///
/// Workers that ask for the same with the same index share one socket: the first request of a
/// worker for an address has index 0, the next one for the same address index 1.
struct listen_request
{
    listen_request() = default; // g++ 12 destroys copies of aggregates twice in an await

    std::uint64_t number = 0;                        ///< Names this listener in what follows.
    std::int32_t family = 0, type = 0, protocol = 0; ///< As for socket(2).
    std::string address;                             ///< The sockaddr for bind(2), byte for byte.
    std::uint32_t index = 0;
    std::int32_t backlog = 0;
    bool v6_only = false;
    bool reuse_port = false;
    std::uint32_t mode = 0; ///< Of a local socket's file, 0 for what the umask leaves.

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number, family, type, protocol, address, index, backlog, v6_only, reuse_port, mode);
    }
};

/// One elsewhere listens, or receives datagrams, at a socket of its own machine.
struct listening_notice
{
    std::string address; ///< "127.0.0.1:8080"

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(address);
    }
};

/// It has taken the next connection that was handed to this listener.
struct accepted_notice
{
    std::uint64_t number = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number);
    }
};

/// The next connection that was handed to this listener came without its socket: the worker had no
/// descriptor left for it.
struct lost_notice
{
    std::uint64_t number = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number);
    }
};

/// The listener is closed and takes no more connections.
struct closed_notice
{
    std::uint64_t number = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number);
    }
};

/// Starting it again is of no use.
struct give_up_notice
{
    std::string reason;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(reason);
    }
};

/// It has done enough, and wants to be replaced.
struct recycle_notice
{
    bool at_once = false; ///< Whoever started it wants it to end, and no successor is waited for.

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(at_once);
    }
};

/// It wants to speak with the worker in a slot.
struct peer_request
{
    std::uint32_t slot = 0;
    std::uint64_t gone = 0; ///< The last one there that has ended, as far as it knows; 0 for none.

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(slot, gone);
    }
};

/// It waits for another worker, as it was told to, or why it does not.
struct peer_door
{
    std::uint64_t visitor = 0;
    std::string endpoint, secret, certificate; ///< As in meeting_point.
    std::string text;                          ///< Why not; empty when it waits.

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(visitor, endpoint, secret, certificate, text);
    }
};

/// To another worker, on the channel between the two: it was asked to stop, and reads what was
/// sent until this was heard.
struct leaving_notice
{
    template <class Archive>
    void serialize(Archive&)
    {
    }
};

/// The answer of one elsewhere to a keep_in_touch_request: its loop turns.
struct alive_notice
{
    template <class Archive>
    void serialize(Archive&)
    {
    }
};

// ---- Its primary says

/// The answer to a listen_request: what failed, or the socket, or that connections will be handed
/// over.
struct listen_reply
{
    std::uint64_t number = 0;
    std::int32_t error_number = 0;
    std::string address; ///< Where it listens now: the sockaddr of getsockname(2).

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number, error_number, address);
    }
};

/// A connection for this listener; the socket is beside it.
struct handed_connection
{
    std::uint64_t number = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number);
    }
};

/// How a worker comes to a channel to another one.
enum class peer_way : std::uint8_t
{
    handed, ///< Its end is beside this; when none is, it is refused.
    waits,  ///< It waits for the other where that reaches it.
    visits, ///< It goes where the other waits.
};

/// To each of two workers: here is the other, and how you come to a channel to it; or the answer to
/// a peer_request: why there is none.
struct peer_introduction
{
    peer_way way = peer_way::handed;
    std::uint32_t slot = 0;   ///< Of the other.
    std::uint64_t id = 0;     ///< The same; 0 for a refusal.
    std::string host;         ///< Where it is; empty for this machine.
    std::int32_t refusal = 0; ///< A value of errc.
    std::string text;         ///< Of a refusal; else who the one is that this is said to.
    bool encrypted = false;   ///< What the two say is to be.
    std::string endpoint, secret, certificate; ///< As in meeting_point.

    template <class Archive>
    void serialize(Archive& archive)
    {
        auto number = static_cast<std::uint8_t>(way);
        archive(number, slot, id, host, refusal, text, encrypted, endpoint, secret, certificate);
        way = static_cast<peer_way>(number);
    }
};

/// Count what you serve in the file beside this, and advance the counter of your loop there so
/// often.
struct vital_signs_request
{
    std::int64_t beat_milliseconds = 0; ///< 0 for never.

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(beat_milliseconds);
    }
};

/// To a worker elsewhere, again and again: answer that you are alive, and end when nothing has come
/// for so long, in which this is said again several times.
struct keep_in_touch_request
{
    std::int64_t grace_milliseconds = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(grace_milliseconds);
    }
};

/// Ask to be replaced when your listeners have accepted so many connections.
struct recycle_request
{
    std::uint64_t connections = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(connections);
    }
};

/// Finish what you do, take nothing new, and end.
struct drain_request
{
    bool no_successor = false; ///< Nobody else will accept what waits in the backlog.

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(no_successor);
    }
};

} // namespace brood::detail
