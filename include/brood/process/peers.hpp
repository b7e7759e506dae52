// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/task.hpp>
#include <brood/process/internal/peer_channel.hpp>
#include <brood/process/process.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brood
{
namespace detail
{

class peers_core;

} // namespace detail

/// Another worker of the same cluster, as a worker sees it: to send to it. Copies are for the same
/// worker, and may be kept after its end. Made by peers::at(), and beside each peer_message.
class peer
{
public:
    explicit peer(std::shared_ptr<detail::peer_channel> open) noexcept : open_(std::move(open)) {}

    /// Its place in the cluster, which its successor takes over.
    std::size_t slot() const noexcept { return open_->who.slot; }

    /// Its number, which none before or after it has: process::worker_id() there.
    std::uint64_t worker_id() const noexcept { return open_->who.id; }

    /// As channel::send(): a plain call, which says whether there is room for more.
    ///
    /// What one worker sends to another arrives in its order, each message once, while both live.
    /// Throws errc::closed, with the worker and its slot, when it has ended or was asked to stop:
    /// peers::at() gives its successor then. What it had not taken by its end is gone with it; of
    /// one that was asked to stop, nothing is lost that was sent before.
    template <class Message, class... Objects>
    bool send(const Message& value, Objects&&... beside) const
    {
        return to().send(value, std::forward<Objects>(beside)...);
    }

    /// As channel::drain(): waits until there is room to send more.
    task<> drain() const;

    /// As channel::flush(): waits until everything that was sent to it is in the hands of the
    /// kernel. What is left when this process ends is written then, for 5 s at most.
    task<> flush() const { return open_->flush(); }

    /// As channel::undelivered(): descriptors that were sent to it, and that it had not taken when
    /// it ended. Those that nobody fetches stay open until the channel goes.
    std::vector<descriptor> undelivered() const { return open_->undelivered(); }

    /// Whether it has neither ended nor was asked to stop, as far as is known here.
    bool connected() const noexcept { return open_->is_open(); }

    /// Waits until it sends nothing more: it has ended, as a rule.
    task<> disconnected() const { return open_->disconnected(); }

    friend bool operator==(const peer& left, const peer& right) noexcept
    {
        return left.worker_id() == right.worker_id();
    }

private:
    detail::peer_channel& to() const;

    std::shared_ptr<detail::peer_channel> open_;
};

/// A message, and the worker that sent it.
template <class Message>
struct peer_message
{
    peer from;
    Message message;
};

namespace detail
{

/// The next one that has a message which nobody has taken; null when there is none now.
std::shared_ptr<peer_channel> take_sender(peers_core& from);

/// The channel by which it is answered.
std::shared_ptr<peer_channel> way_to(const peers_core& from,
                                     const std::shared_ptr<peer_channel>& sender);

/// Waits until there may be one; false when none will come any more.
task<bool> wait_for_sender(std::shared_ptr<peers_core> from);

} // namespace detail

/// The other workers of the cluster, for one of them: it sends to them directly, and takes what
/// they send.
///
///     brood::peers peers(self);
///     auto next = co_await peers.at(1);
///     next.send(text("hello"));
///     while (auto said = co_await peers.message<text>())
///         std::cout << said->from.slot() << " says " << said->message << '\n';
///
/// The primary introduces two workers to each other when one of them asks for the other the first
/// time, and hands each an end of a channel; nothing goes through it then. Any number of these may
/// be made in a worker, and stand for the same channels. Belongs to the executor of the process.
class peers
{
public:
    /// Throws errc::no_channel when this process is no worker of a cluster.
    explicit peers(process& self);

    /// The worker in a slot, from 0, also that of this worker itself: who sends there gets it back
    /// by message(). Does not suspend when there is a channel to it already.
    ///
    /// A slot outlives its workers: while none is there that may be sent to, as one has ended, or
    /// was asked to stop, this waits for its successor. Throws errc::closed when none will come:
    /// the cluster has no such slot, leaves it empty, or is being stopped; errc::not_local, which
    /// names both and says why, when they are on other machines and cannot connect to each other;
    /// errc::descriptors_lost when this process has no room for the channel. Cancelled, it has lost
    /// nothing, and the channel may open all the same.
    task<peer> at(std::size_t slot);

    /// The next message that another worker sent to this one, and who it is from; as
    /// channel::message(), of one worker after the other. A worker that waits for one is ready.
    ///
    /// They stay in their channels until they are taken, so that a sender whose messages nobody
    /// takes is told to wait. Nothing once this worker was asked to stop by its cluster, and all
    /// was taken that the others had sent until they heard of that. Cancelled, it loses none.
    /// Throws errc::wrong_type for a message of another type, which stays; errc::malformed for one
    /// that makes no sense, which ends the channel to its sender.
    template <class... Messages>
    task<std::optional<peer_message<detail::one_of_t<Messages...>>>> message()
    {
        return next_of<Messages...>(core_);
    }

private:
    template <class... Messages>
    static task<std::optional<peer_message<detail::one_of_t<Messages...>>>>
    next_of(std::shared_ptr<detail::peers_core> from)
    {
        for (bool more = true; more;)
        {
            while (auto sender = detail::take_sender(*from))
            {
                auto message = sender->template try_message<Messages...>();
                if (message)
                    co_return peer_message<detail::one_of_t<Messages...>>{
                        peer(detail::way_to(*from, sender)), std::move(*message)};
            }
            more = co_await detail::wait_for_sender(from);
        }
        co_return std::nullopt;
    }

    std::shared_ptr<detail::peers_core> core_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/peers.ipp>
#endif
