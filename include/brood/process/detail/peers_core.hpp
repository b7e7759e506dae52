// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/detail/wait_to_take.hpp>
#include <brood/base/error.hpp>
#include <brood/process/internal/far_meeting.hpp>
#include <brood/process/internal/peer_channel.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/wire/internal/control.hpp>
#include <brood/wire/internal/far_channel.hpp>
#include <brood/wire/internal/link.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The channels from one worker to others. Their messages stay in them until somebody takes them,
/// so that flow control reaches each sender.
class peers_core : public std::enable_shared_from_this<peers_core>
{
public:
    /// `address` is where it is reached, on another machine than the primary; `ready` says that it
    /// waits for messages.
    peers_core(std::shared_ptr<link> to_primary, worker_identity who, std::string address,
               std::function<void()> ready)
        : primary_(std::move(to_primary)), who_(who), address_(std::move(address)),
          ready_(std::move(ready)), taken_(primary_->executor()), changed_(primary_->executor())
    {
    }

    /// The channel to the worker in a slot. Throws why there is none.
    static task<std::shared_ptr<peer_channel>> at(std::shared_ptr<peers_core> self,
                                                  std::uint32_t slot)
    {
        if (slot == self->who_.slot && !self->leads_to(slot))
            self->open_to_itself();
        if (self->leads_to(slot))
            co_return self->newest_[slot];
        auto asked = self->ask(slot);
        auto answered = co_await asked->get();
        if (answered.refused)
            std::rethrow_exception(answered.refused);
        co_return answered.channel;
    }

    /// The primary has said who is in a slot, perhaps because that one has asked for us.
    void hear(carrying_if_room<peer_introduction> said)
    {
        auto& found = said.message;
        peer_identity other{found.id, found.slot, found.host};
        answer result;
        if (said.lost)
            result =
                refusal(errc::descriptors_lost,
                        to_string(other) +
                            ": its channel did not fit into the limit of open files; raise it");
        else if (has_enough_of(other.id))
            result = refusal(errc::overflow,
                             to_string(other) + ": too many channels to it are open already");
        else if (found.way == peer_way::waits)
            return wait_for(other, found.encrypted);
        else if (found.way == peer_way::visits)
            return begin_visit(std::move(other), std::move(found));
        else if (!said.object)
            result = refusal(static_cast<errc>(found.refusal), std::move(found.text));
        else
            result.channel = open(near_channel(std::move(said.object), other), other);
        settle(found.slot, std::move(result));
    }

    /// This worker was asked to stop: what the others have sent is taken, and nothing new.
    void end()
    {
        if (std::exchange(is_ending_, true))
            return;
        for (auto& each : open_)
            tell_leaving(*each);
        changed_.post_all();
    }

    /// The primary has gone, and introduces nobody any more.
    void close()
    {
        end();
        is_closed_ = true;
        for (auto& [slot, asked] : std::exchange(questions_, {}))
            asked->set({nullptr, std::make_exception_ptr(no_primary())});
    }

    /// The next one with a message; null when there is none now. It is looked at again, whatever
    /// comes of this.
    std::shared_ptr<peer_channel> take()
    {
        if (readable_.empty())
            return nullptr;
        auto from = std::move(readable_.front());
        readable_.pop_front();
        taken_.post_all();
        return from;
    }

    /// Where answers to it go: all that is sent to one worker takes one way, which keeps its order.
    std::shared_ptr<peer_channel> way_to(const std::shared_ptr<peer_channel>& sender) const
    {
        for (auto& each : open_)
            if (each->who.id == sender->who.id && each->is_open())
                return each;
        return sender;
    }

    /// Waits until there may be one; false when this worker is to end, and all were taken.
    static task<bool> wait(std::shared_ptr<peers_core> self)
    {
        self->ready_();
        while (self->readable_.empty() && !(self->is_ending_ && self->open_.empty()))
            co_await wait_to_take(self->changed_);
        co_return !self->readable_.empty();
    }

    /// Waits until the kernel has what was sent to others, or cannot have it.
    static task<> flush(std::shared_ptr<peers_core> self)
    {
        auto all = self->open_;
        for (auto& each : all)
        {
            try
            {
                co_await sender::flushed(each->link()->shared_sender());
            }
            catch (const std::exception&)
            {
                // It has gone, or does not read: there is nobody to tell.
            }
        }
    }

    /// Nothing more of it is waited for.
    void give_up()
    {
        for (auto& each : open_)
            each->link()->sending().give_up(nullptr);
    }

private:
    struct answer
    {
        std::shared_ptr<peer_channel> channel;
        std::exception_ptr refused;
    };

    using question = shared_result<answer>;

    // A successor may have asked for this worker while the one before it was still sent to.
    bool leads_to(std::uint32_t slot)
    {
        auto found = newest_.find(slot);
        if (found == newest_.end())
            return false;
        for (auto& each : open_)
            if (!found->second->is_open() && each->who.slot == slot && each->is_open())
                found->second = each;
        return found->second->is_open();
    }

    std::shared_ptr<question> ask(std::uint32_t slot)
    {
        if (is_closed_)
            throw no_primary();
        auto& asked = questions_[slot];
        if (asked)
            return asked;
        asked = std::make_shared<question>(primary_->executor());
        peer_request request;
        request.slot = slot;
        if (auto before = newest_.find(slot); before != newest_.end())
            request.gone = before->second->who.id;
        send_control(*primary_, request);
        return asked;
    }

    static answer refusal(errc why, std::string text)
    {
        return {nullptr, std::make_exception_ptr(error(why, std::move(text)))};
    }

    void settle(std::uint32_t slot, answer result)
    {
        if (auto asked = questions_.extract(slot))
            asked.mapped()->set(std::move(result));
    }

    // ---- Between two machines

    far_channel far_channel_to(const peer_identity& other) const
    {
        return {primary_->executor(), descriptor(), to_string(other), primary_->limits()};
    }

    // One that asks for the other as well may get there, although nobody gets here.
    void wait_for(const peer_identity& other, bool encrypted)
    {
        peer_door door;
        door.visitor = other.id;
        try
        {
            auto leads = far_channel_to(other);
            auto where = meeting_way().wait(leads.link(), address_, encrypted);
            door.endpoint = std::move(where.endpoint);
            door.secret = std::move(where.secret);
            door.certificate = std::move(where.certificate);
            settle(static_cast<std::uint32_t>(other.slot),
                   {open(std::move(leads), other), nullptr});
        }
        catch (const std::system_error& refused)
        {
            door.text = "it cannot wait for another worker: " + text_of(refused);
        }
        send_control(*primary_, door);
    }

    void begin_visit(peer_identity other, peer_introduction found)
    {
        visiting_.insert(other.id);
        asio::co_spawn(primary_->executor(),
                       visit(shared_from_this(), std::move(other), std::move(found)),
                       asio::detached);
    }

    static task<> visit(std::shared_ptr<peers_core> self, peer_identity other,
                        peer_introduction found)
    {
        answer result;
        try
        {
            auto leads = self->far_channel_to(other);
            meeting_point where{found.endpoint, found.secret, found.certificate};
            co_await meeting_way().go(leads.link(), std::move(where));
            result.channel = self->open(std::move(leads), other);
        }
        catch (const std::system_error& refused)
        {
            result = refusal(errc::not_local,
                             found.text + " cannot reach " + to_string(other) + " at " +
                                 found.endpoint + ": " + text_of(refused) +
                                 "; workers speak with each other directly where each reaches the "
                                 "other's host by the network, else let the primary pass on what "
                                 "they say");
        }
        self->visiting_.erase(self->visiting_.find(other.id));
        self->settle(found.slot, std::move(result));
    }

    static const far_meeting& meeting_way()
    {
        if (meets_elsewhere == nullptr)
            throw error(errc::not_local, "its program does not include <brood/remote.hpp>");
        return *meets_elsewhere;
    }

    static std::string text_of(const std::system_error& of)
    {
        auto ours = dynamic_cast<const error*>(&of);
        return ours != nullptr ? ours->text() : of.what();
    }

    // ---- The channels

    // Two are usual; one that asks for this worker again and again is broken.
    bool has_enough_of(std::uint64_t id) const
    {
        auto open = std::count_if(open_.begin(), open_.end(),
                                  [&](auto& each) { return each->who.id == id; });
        return static_cast<std::size_t>(open) + visiting_.count(id) >= 8;
    }

    static error no_primary()
    {
        return error(errc::closed, "this worker was asked to stop, or its primary has gone: "
                                   "it is introduced to no other");
    }

    // Two ends, of which one sends, and the other is read.
    void open_to_itself()
    {
        auto [one, other] = local_pair();
        peer_identity me{who_.id, who_.slot, {}};
        open(near_channel(std::move(one), me), me);
        open(near_channel(std::move(other), me), me);
    }

    channel near_channel(descriptor end, const peer_identity& other) const
    {
        return {primary_->executor(), std::move(end), to_string(other), primary_->limits()};
    }

    // Two that ask for each other at once are introduced twice, to both in the same order: the
    // first channel leads there as long as it is open, and both are read.
    std::shared_ptr<peer_channel> open(channel leads, const peer_identity& other)
    {
        auto made = std::make_shared<peer_channel>(std::move(leads), other);
        made->link()->take_end_for_exit();
        open_.push_back(made);
        asio::co_spawn(primary_->executor(), watch(shared_from_this(), made), asio::detached);
        asio::co_spawn(primary_->executor(), obey(made), asio::detached);
        if (is_ending_)
            tell_leaving(*made);
        auto slot = static_cast<std::uint32_t>(other.slot);
        if (!leads_to(slot))
            newest_[slot] = made;
        return newest_[slot];
    }

    static void tell_leaving(peer_channel& to)
    {
        try
        {
            send_control(*to.link(), leaving_notice{});
        }
        catch (const error&)
        {
            to.link()->sending().give_up(nullptr); // it reads nothing, and learns it by the end
        }
    }

    // What the other side reads ends behind what was sent until now.
    static task<> obey(std::shared_ptr<peer_channel> by)
    {
        try
        {
            auto leaving = co_await next_control<leaving_notice>(by->link());
            if (!leaving)
                co_return;
            by->is_leaving = true;
            by->link()->sending().finish();
        }
        catch (const error&)
        {
            // Who sends there learns what was wrong.
        }
    }

    static task<> watch(std::shared_ptr<peers_core> self, std::shared_ptr<peer_channel> from)
    {
        for (;;)
        {
            auto more = co_await is_readable(from);
            if (!more)
                break;
            self->readable_.push_back(from);
            self->changed_.post_one();
            while (self->offers(from))
                co_await self->taken_.wait();
        }
        std::erase(self->open_, from);
        self->changed_.post_all();
    }

    // A channel with bytes that cannot be right has no more messages: who sends there learns why.
    static task<bool> is_readable(std::shared_ptr<peer_channel> from)
    {
        try
        {
            auto more = co_await from->readable();
            co_return more;
        }
        catch (const error&)
        {
            co_return false;
        }
    }

    bool offers(const std::shared_ptr<peer_channel>& from) const
    {
        return std::find(readable_.begin(), readable_.end(), from) != readable_.end();
    }

    const std::shared_ptr<link> primary_;
    const worker_identity who_;
    const std::string address_;
    const std::function<void()> ready_;
    std::map<std::uint32_t, std::shared_ptr<peer_channel>> newest_;
    std::map<std::uint32_t, std::shared_ptr<question>> questions_;
    std::vector<std::shared_ptr<peer_channel>> open_;    // those from which more may come
    std::deque<std::shared_ptr<peer_channel>> readable_; // with a message that nobody has taken
    std::multiset<std::uint64_t> visiting_;              // those to whom it is under way, by id
    bool is_ending_ = false;
    bool is_closed_ = false;
    wait_queue taken_;
    wait_queue changed_;
};

} // namespace brood::detail
