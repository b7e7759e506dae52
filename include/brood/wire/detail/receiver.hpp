// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/wire/detail/arrivals.hpp>
#include <brood/wire/detail/flow.hpp>
#include <brood/wire/limits.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The half of a link that receives: frames in their lanes, how much the other side may still send,
/// and what it must not.
///
/// Everything that comes is taken in, whatever waits: what bounds the memory is what the other side
/// was told that it may send.
class receiver
{
public:
    receiver(const asio::any_io_executor& executor, const channel_limits& limits)
        : arrivals_(executor, limits),
          messages_(limits.incoming_high_water, frame_window{}.messages),
          requests_(limits.incoming_high_water, frame_window{}.requests), limits_(limits)
    {
    }

    /// What the hello says that the other side may send.
    frame_window window() const noexcept
    {
        return {messages_.announced(), requests_.announced(), limits_.max_descriptors};
    }

    /// What the other side's hello says that we may send, once.
    std::optional<frame_window> take_greeting()
    {
        auto& window = arrivals_.window();
        return window && !std::exchange(greeted_, true) ? window : std::nullopt;
    }

    lane& operator[](lane_name name) noexcept { return arrivals_[name]; }

    arrivals& stream() noexcept { return arrivals_; }

    const arrivals& stream() const noexcept { return arrivals_; }

    /// Lets a frame wait until it is taken. Throws brood::error (malformed) when it must not have
    /// been sent; `unbounded` says that the other side cannot know.
    void push(lane_name to, arrival&& found, bool unbounded)
    {
        if (to == lane_name::controls)
            check_control();
        else
            check(flow_of(to), found, unbounded);
        arrivals_.push(to, std::move(found));
    }

    /// Takes out the oldest of a lane; its payload is gone then.
    arrival pop(lane_name from) { return arrivals_.pop(from); }

    /// How much more of a lane the other side may be told to send, when such a frame has gone; 0
    /// until it is worth saying so.
    std::uint64_t credit_for(lane_name from, const arrival& gone)
    {
        return from == lane_name::controls ? 0 : flow_of(from).take(size(gone));
    }

    /// Whether those who take control frames should be let to it before more are read.
    bool is_crowded() noexcept
    {
        auto& controls = arrivals_[lane_name::controls];
        return controls.bytes > most_control / 4 || controls.descriptors > most_descriptors / 4;
    }

    /// Whether more waits to be taken than the window.
    bool is_full() noexcept { return holds_more_than(limits_.incoming_high_water, 1); }

    /// Whether that much waits that nobody can mean to take it.
    bool is_overfull() noexcept { return holds_more_than(limits_.max_incoming, 2); }

    /// Each taker goes on inside this call, and may do anything: take, wait again, drop the
    /// channel.
    void resume_takers()
    {
        for (auto& each : arrivals_.lanes())
            while (!each.frames.empty() && !each.takers.empty())
                each.takers.resume_one();
    }

    void wake_all_takers() noexcept
    {
        for (auto& each : arrivals_.lanes())
            each.takers.post_all();
    }

    /// Nobody can tell what the frames behind one that makes no sense are.
    void drop_waiting()
    {
        drop_waiting([](lane_name, const arrival&) {});
    }

    /// The same, and `gone` learns of each: the other side may wait for its room before it takes
    /// what we still hold.
    template <class Gone>
    void drop_waiting(Gone gone)
    {
        for (auto name : {lane_name::messages, lane_name::requests, lane_name::controls})
            while (!arrivals_[name].frames.empty())
            {
                auto dropped = arrivals_.pop(name);
                gone(name, dropped);
            }
    }

    /// What a `type_name` frame says: the name that belongs to a fingerprint.
    void remember_name(const arrival& announced)
    {
        if (names_.size() < max_names)
            names_.emplace_back(announced.content.header.fingerprint, text_of(announced));
    }

    /// The name of a type that the other side announced, for people.
    std::string name_of(std::uint64_t fingerprint) const
    {
        for (auto& [known, name] : names_)
            if (known == fingerprint)
                return name;
        return "unknown";
    }

    /// A payload that is a text.
    std::string text_of(const arrival& of) const
    {
        auto text = arrivals_.payload(of);
        return {reinterpret_cast<const char*>(text.data()), text.size()};
    }

private:
    static constexpr std::size_t max_names = 4096;
    static constexpr std::size_t most_control = frame_header::max_control;
    static constexpr std::size_t most_descriptors = 1024; // beside control frames

    static std::size_t size(const arrival& of) noexcept { return arrivals::size_of(of); }

    inflow& flow_of(lane_name name) noexcept
    {
        return name == lane_name::messages ? messages_ : requests_;
    }

    void check_control()
    {
        auto& controls = arrivals_[lane_name::controls];
        if (controls.bytes > most_control || controls.descriptors > most_descriptors)
            throw error(errc::malformed, "more control frames than anybody takes");
    }

    void check(inflow& flow, const arrival& found, bool unbounded)
    {
        auto allowed = flow.arrive(size(found)) && (!found.freight || fit(found));
        if (!allowed && !unbounded)
            throw error(errc::malformed, "more than it was told that it may send");
    }

    bool fit(const arrival& found) noexcept
    {
        auto most = std::max<std::size_t>(limits_.max_descriptors, frame_window{}.descriptors);
        auto waiting = waiting_descriptors();
        return waiting == 0 || waiting + found.descriptors() <= most;
    }

    // The bytes of a frame that is not yet whole count.
    bool holds_more_than(std::size_t bytes, std::size_t windows_of_descriptors) noexcept
    {
        auto& messages = arrivals_[lane_name::messages];
        auto& requests = arrivals_[lane_name::requests];
        if (messages.frames.empty() && requests.frames.empty())
            return false;
        return messages.bytes + requests.bytes + arrivals_.begun() > bytes ||
               waiting_descriptors() > windows_of_descriptors * limits_.max_descriptors;
    }

    std::size_t waiting_descriptors() noexcept
    {
        return arrivals_[lane_name::messages].descriptors +
               arrivals_[lane_name::requests].descriptors;
    }

    arrivals arrivals_;
    inflow messages_;
    inflow requests_;
    channel_limits limits_;
    bool greeted_ = false;
    std::vector<std::pair<std::uint64_t, std::string>> names_;
};

} // namespace brood::detail
