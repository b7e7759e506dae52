// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/base/internal/deadline.hpp>
#include <brood/base/task.hpp>
#include <brood/wire/internal/frame_writer.hpp>
#include <brood/wire/internal/handler.hpp>
#include <brood/wire/internal/take.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
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
    pending_call(std::shared_ptr<link> to, std::string_view request);
    pending_call(pending_call&&) noexcept;
    ~pending_call();

    std::uint64_t number() const noexcept;

    /// From here on the other side knows of it.
    void sent() noexcept;

    link& to() noexcept;

    /// Suspends until the reply is here. Throws closed when it cannot come any more, timed_out.
    task<> answered(deadline until);

    /// The payload of the reply, which must be of this type. Throws what the handler threw as
    /// remote_error.
    std::span<const std::byte> reply(type_label expected);

    companions& beside() noexcept;

private:
    class core;

    std::unique_ptr<core> core_;
};

template <class Reply>
Reply reply_of(pending_call& call)
{
    using message = message_of_t<Reply>;
    auto value = decode_from<message>(call.to(), call.reply(label_of<message>()));
    return wanted<Reply>::make(std::move(value), call.beside(), call.to());
}

template <class Reply>
task<Reply> reply_to(pending_call call, deadline until)
{
    co_await call.answered(until);
    if constexpr (std::is_void_v<Reply>)
        reply_of<nothing>(call);
    else
        co_return reply_of<Reply>(call);
}

/// Sends a request now; what comes back is awaited for the reply.
template <class Reply, class Request>
task<Reply> call(std::shared_ptr<link> to, const Request& request, deadline until)
{
    check_message<Request>();
    pending_call pending(to, message_name<Request>());
    {
        frame_writer frame(*to, frame_kind::request, label_of<Request>(), pending.number());
        frame.write(request);
        frame.send();
    }
    pending.sent();
    return reply_to<Reply>(std::move(pending), until);
}

} // namespace detail
} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/wire/impl/call.ipp>
#endif
