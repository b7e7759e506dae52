// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/wire/frame.hpp>
#include <brood/wire/internal/take.hpp>

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Where the reply to a request is put, and who waits for it.
struct reply_slot : list_node
{
    frame_header header;
    std::vector<std::byte> payload;
    companions beside;
    bool answered = false;
    wait_queue::ticket caller;
};

/// The calls of a link that are under way, by the numbers of their requests.
class call_table
{
public:
    explicit call_table(asio::any_io_executor executor) : callers_(std::move(executor)) {}

    /// The number of a new request, whose reply goes to `slot` until it is forgotten.
    std::uint64_t expect_reply(reply_slot& slot)
    {
        replies_.emplace(++last_request_, &slot);
        return last_request_;
    }

    /// False when it was answered, or the link ended, in between.
    bool forget_reply(std::uint64_t number) { return replies_.erase(number) != 0; }

    /// Where the reply goes, which is not expected any more; null when it came too late. Its caller
    /// goes on with resume_callers().
    reply_slot* take_slot(std::uint64_t number)
    {
        auto found = replies_.find(number);
        if (found == replies_.end())
            return nullptr;
        auto slot = found->second;
        replies_.erase(found);
        slot->insert_before(answered_);
        return slot;
    }

    /// Each caller whose reply has come goes on inside this call, and may do anything: call again,
    /// give up another call, drop the channel. So the requests that follow leave together.
    void resume_callers()
    {
        while (!answered_.alone())
        {
            auto& slot = static_cast<reply_slot&>(*answered_.next);
            slot.unlink();
            callers_.resume(slot.caller);
        }
    }

    /// Suspends until the reply is in `slot`, or none will come. False at the deadline, if there is
    /// one.
    task<bool> answered(reply_slot& slot, deadline until)
    {
        return callers_.wait_until(until, slot.caller);
    }

    /// The same without a deadline.
    task<> answered(reply_slot& slot) { return callers_.wait(slot.caller); }

    bool expects_replies() const noexcept { return !replies_.empty(); }

    /// No reply will come any more: all who wait learn it.
    void end_replies()
    {
        replies_.clear();
        callers_.post_all();
    }

    /// Whether the handler of a request with this number works.
    bool is_handled(std::uint64_t number) const { return handlers_.contains(number); }

    /// Knows how to stop the handler of a request when its caller waits no more.
    void handling(std::uint64_t number, asio::cancellation_signal& stop)
    {
        handlers_.emplace(number, &stop);
    }

    void handled(std::uint64_t number) { handlers_.erase(number); }

    /// Stops the handler. False when none works.
    bool cancel(std::uint64_t number)
    {
        auto handler = handlers_.find(number);
        if (handler == handlers_.end())
            return false;
        handler->second->emit(asio::cancellation_type::terminal);
        return true;
    }

private:
    std::uint64_t last_request_ = 0;
    wait_queue callers_; // each with the ticket of its slot
    list_node answered_; // slots, in the order of the replies, until their callers go on
    std::unordered_map<std::uint64_t, reply_slot*> replies_;                 // ours, unanswered
    std::unordered_map<std::uint64_t, asio::cancellation_signal*> handlers_; // of theirs, running
};

} // namespace brood::detail
