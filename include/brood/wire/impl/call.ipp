// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/wire/call.hpp>
#include <brood/wire/detail/serving.hpp>
#include <brood/wire/internal/link.hpp>

#include <utility>

namespace brood::detail
{

class pending_call::core
{
public:
    core(std::shared_ptr<link> to, std::string_view request)
        : link_(std::move(to)), request_(request), number_(link_->calls().expect_reply(slot_))
    {
    }

    ~core()
    {
        if (link_->calls().forget_reply(number_) && sent_)
            link_->sending().send_empty(frame_kind::cancel, 0, number_);
    }

    std::uint64_t number() const noexcept { return number_; }

    void sent() noexcept { sent_ = true; }

    link& to() noexcept { return *link_; }

    companions& beside() noexcept { return slot_.beside; }

    task<> answered(deadline until)
    {
        // Not flushed: requests of other callers in this turn of the loop leave with this one.
        auto in_time = true, waits = !slot_.answered && !link_->ended();
        if (waits && !until)
            co_await link_->calls().answered(slot_);
        else if (waits)
            in_time = co_await link_->calls().answered(slot_, until);
        if (!in_time)
            throw error(errc::timed_out, link_->peer() + ": no reply to " + request_ + " in time");
        if (!slot_.answered)
            throw_ended();
    }

    std::span<const std::byte> reply(type_label expected)
    {
        if (slot_.header.kind == frame_kind::failure)
            throw_failure();
        if (slot_.header.fingerprint != expected.fingerprint)
            throw error(errc::wrong_type, link_->peer() + ": the reply to " + request_ + " is a " +
                                              link_->name_of(slot_.header.fingerprint) +
                                              ", where a " + std::string(expected.name) +
                                              " was expected");
        if (slot_.beside.lost)
            throw_lost(*link_);
        return slot_.payload;
    }

private:
    [[noreturn]] void throw_ended() const
    {
        link_->rethrow_failure();
        throw error(errc::closed, link_->peer() + ": it has gone without a reply to " + request_);
    }

    [[noreturn]] void throw_failure() const
    {
        auto what = decode_from<failure>(*link_, slot_.payload);
        if (what.type.empty())
            throw error(errc::unhandled, link_->peer() + ": it has no handler for " + request_);
        throw remote_error(link_->peer(), request_, what.type, what.text);
    }

    std::shared_ptr<link> link_;
    std::string request_;
    reply_slot slot_;
    std::uint64_t number_;
    bool sent_ = false;
};

BROOD_INLINE pending_call::pending_call(std::shared_ptr<link> to, std::string_view request)
    : core_(std::make_unique<core>(std::move(to), request))
{
}

BROOD_INLINE pending_call::pending_call(pending_call&&) noexcept = default;

BROOD_INLINE pending_call::~pending_call() = default;

BROOD_INLINE std::uint64_t pending_call::number() const noexcept
{
    return core_->number();
}

BROOD_INLINE void pending_call::sent() noexcept
{
    core_->sent();
}

BROOD_INLINE link& pending_call::to() noexcept
{
    return core_->to();
}

BROOD_INLINE companions& pending_call::beside() noexcept
{
    return core_->beside();
}

BROOD_INLINE task<> pending_call::answered(deadline until)
{
    return core_->answered(until);
}

BROOD_INLINE std::span<const std::byte> pending_call::reply(type_label expected)
{
    return core_->reply(expected);
}

BROOD_INLINE task<> serve(std::shared_ptr<link> from, std::vector<request_handler> handlers)
{
    return serving::serve(std::make_shared<serving>(std::move(from), std::move(handlers)));
}

BROOD_INLINE link& link_of(const serving& by)
{
    return by.on();
}

BROOD_INLINE bool may_reply(serving& by)
{
    return by.may_reply();
}

BROOD_INLINE void reply_failure(serving& by, std::uint64_t number, const std::exception_ptr& thrown)
{
    by.tell(number, thrown);
}

} // namespace brood::detail
