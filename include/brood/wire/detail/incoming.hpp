// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/ring.hpp>
#include <brood/base/error.hpp>
#include <brood/wire/detail/pass_descriptors.hpp>
#include <brood/wire/frame_reader.hpp>
#include <brood/wire/limits.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace brood::detail
{

/// A frame with the descriptors that came with it.
struct arrival
{
    frame content;
    std::vector<descriptor> descriptors;
    std::uint64_t carrier = 0; ///< Its number among the frames with descriptors, 0 without any.
    bool descriptors_lost =
        false; ///< They did not fit into this process; the sender has them still.
};

/// Frames that have arrived: pairs descriptors with them, and keeps those that wait to be taken.
class incoming
{
public:
    explicit incoming(const channel_limits& limits)
        : reader_(limits.max_message, limits.max_descriptors)
    {
    }

    ring<arrival> messages;
    ring<arrival> requests;
    ring<arrival> controls;

    /// Receives once. What was received is found by `next`.
    received receive_from(int socket)
    {
        auto room = reader_.room();
        auto result = receive_bytes(socket, room, loose_);
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
            return std::nullopt;
        }
        arrival result{*found, {}, 0, false};
        if (found->header.descriptors != 0)
            pair_up(result);
        return result;
    }

    std::span<const std::byte> payload(const arrival& of) const
    {
        return reader_.payload(of.content);
    }

    /// Forgets the oldest message or request; its payload is gone then.
    arrival pop(ring<arrival>& from)
    {
        auto taken = from.pop_front();
        release();
        return taken;
    }

    /// Gives back the memory of frames that have been dealt with and were not queued.
    void release()
    {
        auto oldest = reader_.position();
        for (auto queue : {&messages, &requests, &controls})
            if (!queue->empty())
                oldest = std::min(oldest, queue->front().content.position);
        reader_.release(oldest);
    }

    std::size_t held() const noexcept { return reader_.held(); }

    bool in_frame() const noexcept { return reader_.in_frame(); }

    /// What a `type_name` frame says: the name that belongs to a fingerprint.
    void remember_name(const arrival& announced)
    {
        auto name = payload(announced);
        if (names_.size() < max_names)
            names_.emplace_back(
                announced.content.header.fingerprint,
                std::string(reinterpret_cast<const char*>(name.data()), name.size()));
    }

    /// The name of a type that the other side announced, for people.
    std::string name_of(std::uint64_t fingerprint) const
    {
        for (auto& [known, name] : names_)
            if (known == fingerprint)
                return name;
        return "unknown";
    }

private:
    static constexpr std::size_t max_names = 4096;

    void pair_up(arrival& with)
    {
        with.carrier = ++carriers_seen_;
        if (!lost_.empty() && lost_.front() == 0)
        {
            lost_.erase(lost_.begin());
            with.descriptors_lost = true;
            return;
        }
        auto count = with.content.header.descriptors;
        if (loose_.size() < count)
            throw error(errc::malformed, "a frame that announced " + std::to_string(count) +
                                             " descriptors and came with " +
                                             std::to_string(loose_.size()));
        auto end = loose_.begin() + count;
        with.descriptors.assign(std::make_move_iterator(loose_.begin()),
                                std::make_move_iterator(end));
        loose_.erase(loose_.begin(), end);
        for (auto& before : lost_)
            before -= count;
    }

    // One call receives the descriptors of one frame only: those that did fit are closed with the
    // rest.
    void lose(std::size_t received)
    {
        loose_.erase(loose_.end() - static_cast<std::ptrdiff_t>(received), loose_.end());
        lost_.push_back(loose_.size());
    }

    frame_reader reader_;
    std::vector<descriptor> loose_; // arrived, and not yet paired with a frame
    std::vector<std::size_t> lost_; // for each frame that lost its own: how many come before them
    std::uint64_t carriers_seen_ = 0;
    std::vector<std::pair<std::uint64_t, std::string>> names_;
};

} // namespace brood::detail
