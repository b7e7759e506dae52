// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/ring.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/error.hpp>
#include <brood/wire/detail/pass_descriptors.hpp>
#include <brood/wire/frame_reader.hpp>
#include <brood/wire/internal/cipher.hpp>
#include <brood/wire/internal/take.hpp>
#include <brood/wire/limits.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The descriptors that came with a frame.
struct freight
{
    companions beside;
    std::uint64_t carrier = 0; ///< The number of their frame among those with descriptors.
};

/// A frame that has come. Small, as thousands of them may wait.
struct arrival
{
    frame content;
    std::unique_ptr<detail::freight> freight; ///< Null for a frame without descriptors.
    std::unique_ptr<std::byte[]> kept; ///< Its payload, once that is no longer in the stream.
    bool cancelled = false;            ///< A request whose caller waits no more.

    /// How many came with it.
    std::size_t descriptors() const noexcept
    {
        return freight ? freight->beside.descriptors.size() : 0;
    }

    companions take_companions() { return freight ? std::move(freight->beside) : companions(); }
};

/// Frames of one kind that wait to be taken, the oldest first.
struct arrival_queue : ring<arrival>
{
    std::size_t kept = 0; ///< How many of the oldest have a payload of their own.

    /// The request with this number, or null. Requests are numbered in their order: who numbers
    /// them otherwise is not found.
    arrival* find(std::uint64_t correlation)
    {
        auto number = [this](std::size_t index)
        {
            return (*this)[index].content.header.correlation;
        };
        std::size_t first = 0, end = size();
        while (first < end)
        {
            auto middle = first + (end - first) / 2;
            if (number(middle) < correlation)
                first = middle + 1;
            else
                end = middle;
        }
        return first < size() && number(first) == correlation ? &(*this)[first] : nullptr;
    }
};

/// Frames of one kind, and who waits for one.
struct lane
{
    explicit lane(const asio::any_io_executor& executor) : takers(executor) {}

    arrival_queue frames;
    wait_queue takers;
    std::size_t bytes = 0; ///< Of the frames, headers counted.
    std::size_t descriptors = 0;
};

/// Frames that have arrived: pairs descriptors with them, and keeps those that wait to be taken.
class arrivals
{
public:
    arrivals(const asio::any_io_executor& executor, const channel_limits& limits)
        : lanes_{lane(executor), lane(executor), lane(executor)},
          reader_(limits.max_message, limits.max_descriptors)
    {
    }

    lane& operator[](lane_name name) noexcept { return lanes_[static_cast<std::size_t>(name)]; }

    std::array<lane, 3>& lanes() noexcept { return lanes_; }

    /// Receives once, at most so many bytes, through a cipher if there is one. What was received is
    /// found by `next`.
    received receive_from(int socket, std::size_t most, cipher* through)
    {
        auto room = reader_.room();
        room = room.first(std::min(room.size(), most));
        auto result = through != nullptr ? receive_bytes(socket, room, *through)
                                         : receive_bytes(socket, room, loose_);
        if (result.bytes > 0)
            reader_.arrived(static_cast<std::size_t>(result.bytes));
        if (result.descriptors_lost)
            lose(result.descriptors);
        return result;
    }

    /// The next whole frame with its descriptors, or nothing until more arrives.
    /// Throws brood::error for what cannot be; the stream is lost from there on.
    std::optional<arrival> next()
    {
        auto found = reader_.next();
        if (!found)
        {
            if (loose_.size() > reader_.expected_descriptors())
                throw error(errc::malformed, "descriptors that no frame announced");
            return {};
        }
        std::optional<arrival> result(std::in_place);
        result->content = *found;
        if (found->header.descriptors != 0)
            result->freight = pair_up(*found);
        return result;
    }

    std::span<const std::byte> payload(const arrival& of) const
    {
        if (of.kept)
            return {of.kept.get(), of.content.header.length};
        return reader_.payload(of.content);
    }

    /// Lets a frame wait until it is taken.
    void push(lane_name to, arrival&& found)
    {
        auto& lane = (*this)[to];
        lane.bytes += size_of(found);
        lane.descriptors += found.descriptors();
        lane.frames.push_back(std::move(found));
    }

    /// Forgets the oldest of a queue; its payload is gone then.
    arrival pop(lane_name from)
    {
        auto& lane = (*this)[from];
        auto taken = lane.frames.pop_front();
        lane.frames.kept -= lane.frames.kept != 0;
        lane.bytes -= size_of(taken);
        lane.descriptors -= taken.descriptors();
        // Not for each: what has been taken is as little as a read.
        taken_ += size_of(taken);
        if (lane.frames.empty() || taken_ >= spare)
            release();
        return taken;
    }

    /// Bytes of a frame, its header counted.
    static std::size_t size_of(const arrival& of) noexcept
    {
        return frame_header::size + of.content.header.length;
    }

    /// What the hello of the other side said; nothing until that has come.
    const std::optional<frame_window>& window() const noexcept { return reader_.window(); }

    /// Bytes of a frame that is not yet whole.
    std::size_t begun() const noexcept { return reader_.begun(); }

    /// Bytes that have come, from the first one on.
    std::uint64_t heard() const noexcept { return reader_.position() + reader_.begun(); }

    /// Gives back the memory of frames that have been dealt with.
    ///
    /// What nobody takes from one queue would keep in memory all that comes behind it, and stop the
    /// other queues at the limit: before that, it moves out of the way.
    void release()
    {
        taken_ = 0;
        auto oldest = oldest_in_stream();
        if (reader_.position() - oldest > 2 * waiting() + spare)
        {
            for (auto& each : lanes_)
                keep(each.frames);
            oldest = reader_.position();
        }
        reader_.release(oldest);
    }

    /// Closes the descriptors that no frame has claimed, when none will come any more.
    void close_loose() noexcept { loose_.clear(); }

    bool in_frame() const noexcept { return reader_.in_frame(); }

private:
    static constexpr std::size_t spare = std::size_t{64} << 10;

    // Bytes of the frames in the lanes, wherever they lie.
    std::size_t waiting() const noexcept
    {
        return lanes_[0].bytes + lanes_[1].bytes + lanes_[2].bytes;
    }

    std::uint64_t oldest_in_stream()
    {
        auto oldest = reader_.position();
        for (auto& each : lanes_)
            if (each.frames.kept < each.frames.size())
                oldest = std::min(oldest, each.frames[each.frames.kept].content.position);
        return oldest;
    }

    void keep(arrival_queue& queue)
    {
        for (; queue.kept < queue.size(); ++queue.kept)
        {
            auto& waits = queue[queue.kept];
            auto bytes = reader_.payload(waits.content);
            waits.kept.reset(new std::byte[bytes.size()]);
            std::copy(bytes.begin(), bytes.end(), waits.kept.get());
        }
    }

    std::unique_ptr<freight> pair_up(const frame& with)
    {
        auto result = std::make_unique<freight>();
        result->carrier = ++carriers_seen_;
        std::size_t count = with.header.descriptors;
        auto place = loose_.begin();
        for (auto left = count; left != 0;)
        {
            auto piece = std::min(left, descriptors_per_call);
            auto lost = place != loose_.end() && !*place;
            auto here = lost ? 1 : piece;
            if (static_cast<std::size_t>(loose_.end() - place) < here)
                throw error(errc::malformed, "a frame that announced " + std::to_string(count) +
                                                 " descriptors and came with " +
                                                 std::to_string(loose_.size()));
            place += static_cast<std::ptrdiff_t>(here);
            left -= piece;
        }
        auto& [descriptors, lost] = result->beside;
        lost = std::any_of(loose_.begin(), place, [](auto& each) { return !each; });
        if (!lost)
            descriptors.assign(std::make_move_iterator(loose_.begin()),
                               std::make_move_iterator(place));
        loose_.erase(loose_.begin(), place);
        return result;
    }

    // One call receives the descriptors of one frame only, or a piece of them: those that did fit
    // are closed with the rest.
    void lose(std::size_t received)
    {
        loose_.resize(loose_.size() - received);
        loose_.emplace_back();
    }

    std::array<lane, 3> lanes_; // by lane_name
    frame_reader reader_;
    std::vector<descriptor> loose_; // not yet paired with a frame; an empty one for a lost call
    std::uint64_t carriers_seen_ = 0;
    std::size_t taken_ = 0; // bytes of frames, since memory was last given back
};

} // namespace brood::detail
