// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/detail/wait_to_take.hpp>
#include <brood/cluster/message_stream.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The observers of messages of some types, from all workers of a cluster.
///
/// One of those that wait takes the next message, and gives a copy to each of the others.
class message_hub
{
public:
    message_hub(const asio::any_io_executor& executor, std::shared_ptr<inbox> from)
        : from_(std::move(from)), changed_(executor)
    {
    }

    const std::shared_ptr<inbox>& from() const noexcept { return from_; }

    void add(const std::shared_ptr<message_observer>& observer) { observers_.push_back(observer); }

    /// Whether a message can be taken for all: nothing is lost, so that the workers wait for the
    /// slowest observer.
    bool can_take() const
    {
        return !is_taking_ && std::none_of(observers_.begin(), observers_.end(),
                                           [](auto& each)
                                           {
                                               auto observer = each.lock();
                                               return observer && observer->waiting() >= many;
                                           });
    }

    bool has_ended() const noexcept { return has_ended_; }

    task<> changed() { return wait_to_take(changed_); }

    void begin_turn() { is_taking_ = true; }

    /// Whoever took has given it to all, or failed, or was cancelled: another one goes on.
    void end_turn()
    {
        is_taking_ = false;
        changed_.post_all();
    }

    /// Somebody wants less, or has gone.
    void change() noexcept { changed_.post_all(); }

    void give_all(const void* message)
    {
        has_ended_ = message == nullptr;
        std::erase_if(observers_, [](auto& each) { return each.expired(); });
        for (auto& each : observers_)
            if (auto observer = each.lock(); observer && !has_ended_)
                observer->give(message);
    }

private:
    static constexpr std::size_t many = 1'024;

    std::shared_ptr<inbox> from_;
    std::vector<std::weak_ptr<message_observer>> observers_;
    bool is_taking_ = false;
    bool has_ended_ = false;
    wait_queue changed_;
};

} // namespace brood::detail
