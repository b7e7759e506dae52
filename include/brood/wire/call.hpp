// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/task.hpp>
#include <brood/wire/detail/handlers.hpp>
#include <brood/wire/detail/take.hpp>

#include <memory>
#include <string>
#include <utility>

namespace brood
{

/// A call whose handler threw on the other side; type and text of its exception came across.
class remote_error : public error
{
public:
    remote_error(const std::string& peer, std::string request, std::string type, std::string text)
        : error(errc::failed,
                peer + ": its handler for " + request + " threw " + type + ": " + text),
          type_(std::move(type)), message_(std::move(text))
    {
    }

    /// The type of the exception, as the other side's compiler names it.
    const std::string& type() const noexcept { return type_; }

    /// What the exception said about itself. It comes from the other side: trust it as much as
    /// that.
    const std::string& message() const noexcept { return message_; }

private:
    std::string type_;
    std::string message_;
};

namespace detail
{

/// A request that has been sent. Destroyed before its answer has come, it tells the other side to
/// stop.
class pending_call
{
public:
    pending_call(std::shared_ptr<link> to, std::string_view request)
        : link_(std::move(to)), request_(request),
          slot_(std::make_unique<reply_slot>(link_->executor())),
          number_(link_->expect_reply(*slot_))
    {
    }

    pending_call(pending_call&&) noexcept = default;

    ~pending_call()
    {
        if (link_ && link_->forget_reply(number_) && sent_)
            link_->sending().send_control(frame_kind::cancel, 0, number_);
    }

    std::uint64_t number() const noexcept { return number_; }

    /// From here on the other side knows of it.
    void sent() noexcept { sent_ = true; }

    link& to() noexcept { return *link_; }

    /// Suspends until the reply is here. Throws closed when it cannot come any more.
    task<> answered(deadline until)
    {
        link_->sending().flush();
        auto in_time = true;
        if (!slot_->answered && !link_->ended())
            in_time = co_await slot_->waiting.wait_until(until);
        if (!in_time)
            throw error(errc::timed_out, link_->peer() + ": no reply to " + request_ + " in time");
        if (!slot_->answered)
            throw_ended();
    }

    /// The reply's value. Throws what the handler threw as remote_error.
    template <class Reply>
    Reply value()
    {
        auto& header = slot_->answer.content.header;
        if (header.kind == frame_kind::failure)
            throw_failure();
        using message = typename wanted<Reply>::message;
        if (header.fingerprint != wanted<Reply>::fingerprint())
            throw error(errc::wrong_type, link_->peer() + ": the reply to " + request_ + " is a " +
                                              link_->name_of(header.fingerprint) + ", where a " +
                                              std::string(message_name<message>()) +
                                              " was expected");
        check_descriptors(slot_->answer, *link_);
        auto decoded = decode_from<message>(*link_, slot_->payload);
        return wanted<Reply>::make(std::move(decoded), slot_->answer, *link_);
    }

private:
    [[noreturn]] void throw_ended() const
    {
        link_->rethrow_failure();
        throw error(errc::closed, link_->peer() + ": it has gone without a reply to " + request_);
    }

    [[noreturn]] void throw_failure() const
    {
        auto what = decode_from<failure>(*link_, slot_->payload);
        if (what.type.empty())
            throw error(errc::unhandled, link_->peer() + ": it has no handler for " + request_);
        throw remote_error(link_->peer(), request_, what.type, what.text);
    }

    std::shared_ptr<link> link_;
    std::string request_;
    std::unique_ptr<reply_slot> slot_;
    std::uint64_t number_;
    bool sent_ = false;
};

template <class Reply>
task<Reply> reply_to(pending_call call, deadline until)
{
    co_await call.answered(until);
    if constexpr (std::is_void_v<Reply>)
        call.template value<nothing>();
    else
        co_return call.template value<Reply>();
}

/// Sends a request now; what comes back is awaited for the reply.
template <class Reply, class Request>
task<Reply> call(std::shared_ptr<link> to, const Request& request, deadline until)
{
    check_message<Request>();
    pending_call pending(to, message_name<Request>());
    frame_header header{
        0, frame_kind::request, 0, 0, message_fingerprint<Request>(), pending.number()};
    to->sending().send(header, message_name<Request>(),
                       [&](buffer& bytes) { encode(bytes, request); }, {});
    pending.sent();
    return reply_to<Reply>(std::move(pending), until);
}

} // namespace detail
} // namespace brood
