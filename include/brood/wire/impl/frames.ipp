// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/wire/internal/frame_writer.hpp>
#include <brood/wire/internal/link.hpp>
#include <brood/wire/internal/take.hpp>

#include <utility>

namespace brood::detail
{

BROOD_INLINE frame_writer::frame_writer(link& to, frame_kind kind, type_label type,
                                        std::uint64_t number, std::size_t descriptors)
    : to_(&to.sending()), header_{0, kind, 0, 0, type.fingerprint, number}, name_(type.name),
      most_(to_->longest(kind))
{
    to_->check_may_send(kind, descriptors);
    to_->announce(type.fingerprint, type.name);
    payload_ = &to_->begin(kind, descriptors, start_);
}

BROOD_INLINE bool frame_writer::send(std::vector<descriptor> beside)
{
    header_.descriptors = static_cast<std::uint16_t>(beside.size());
    return std::exchange(to_, nullptr)->end(*payload_, start_, header_, std::move(beside));
}

BROOD_INLINE void frame_writer::check_length() const
{
    auto length = payload_->size() - start_ - frame_header::size;
    if (length > most_)
        to_->refuse_length(std::to_string(length), name_, most_);
}

BROOD_INLINE void frame_writer::throw_too_long() const
{
    to_->refuse_length("more than " + std::to_string(most_), name_, most_);
}

BROOD_INLINE void frame_writer::take_back() noexcept
{
    payload_->truncate(start_);
}

BROOD_INLINE waiting_frame oldest_of(link& from, lane_name where)
{
    auto& frames = from.waiting(where).frames;
    if (!frames.empty())
    {
        auto& header = frames.front().content.header;
        return {waiting_frame::state::here, header.fingerprint, header.correlation,
                from.payload(frames.front())};
    }
    from.rethrow_failure();
    waiting_frame none;
    none.is = from.ended() ? waiting_frame::state::never : waiting_frame::state::not_yet;
    return none;
}

inline task<> arrival_in_time(std::shared_ptr<link> from, lane_name where, deadline until)
{
    auto in_time = co_await from->waiting(where).takers.wait_until(until);
    if (!in_time)
        throw error(errc::timed_out, from->peer() + ": no message came in time");
}

BROOD_INLINE task<> arrival_or_end(std::shared_ptr<link> from, lane_name where, deadline until)
{
    from->sending().flush_before_waiting();
    if (until)
        return arrival_in_time(std::move(from), where, until);
    return from->waiting(where).takers.wait();
}

BROOD_INLINE companions take_oldest(link& from, lane_name where)
{
    return from.pop(where).take_companions();
}

BROOD_INLINE bool is_elsewhere(const link& to) noexcept
{
    return to.is_elsewhere();
}

BROOD_INLINE const std::string& peer_of(const link& of)
{
    return of.peer();
}

BROOD_INLINE asio::any_io_executor executor_of(link& of)
{
    return of.executor();
}

BROOD_INLINE void fail_decoding(link& from, std::string_view name, bool in_lane)
{
    try
    {
        throw;
    }
    catch (const error& wrong)
    {
        error what(errc::malformed, "a " + std::string(name) + " of which " + wrong.text());
        if (in_lane)
            from.fail_behind(what);
        else
            from.fail(what);
    }
    from.rethrow_failure();
    throw;
}

BROOD_INLINE void throw_wrong_type(link& from, std::uint64_t came, const std::string& asked)
{
    throw error(errc::wrong_type, from.peer() + ": the next message is a " + from.name_of(came) +
                                      ", where a " + asked + " was asked for; ask for its type");
}

BROOD_INLINE void throw_lost(const link& from)
{
    throw error(errc::descriptors_lost,
                from.peer() + ": a message came, but its descriptors did not fit into the limit of "
                              "open files; its sender has them again");
}

BROOD_INLINE void throw_wrong_count(const link& from, std::string_view name, std::size_t came,
                                    std::size_t asked)
{
    throw error(errc::wrong_descriptor, from.peer() + ": a " + std::string(name) + " came with " +
                                            std::to_string(came) + " descriptors, where " +
                                            std::to_string(asked) + " were asked for");
}

BROOD_INLINE void throw_wrong_kind(const link& from, std::string_view name, std::size_t place)
{
    throw error(errc::wrong_descriptor, from.peer() + ": descriptor " + std::to_string(place + 1) +
                                            " beside a " + std::string(name) +
                                            " is of another kind than was asked for");
}

} // namespace brood::detail
