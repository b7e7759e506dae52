// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/http/client_response.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace brood::http
{

/// A request whose head has been sent, and whose body is sent in pieces: in chunks, or as long as
/// the Content-Length that was set before. client::upload() gives it.
///
/// A server may answer before it has all of the body. Whoever waits for room notices: write() then
/// gives false, and response() is what the server says. To read an answer that comes while the
/// body is sent, await response() in another coroutine beside the one that writes.
///
/// One that is dropped before its end cuts the request off, unless there is a response that is
/// still read.
class upload
{
public:
    upload() = default; ///< Only a place for one.

    /// Sends a piece of the body. The text must live until this is done.
    ///
    /// Resumes when the kernel has all of it: a slow server is waited for. False when the server
    /// has answered or closed instead of reading on: no more is sent then. Throws errc::timed_out
    /// when the server takes nothing for too long, std::system_error for what the system refuses,
    /// and std::logic_error behind the end or for more than Content-Length.
    task<bool> write(std::string_view text);

    /// Sends the last piece of the body. As write(), and throws std::logic_error when the body is
    /// shorter than Content-Length.
    task<bool> end(std::string_view text = {});

    /// The response, as soon as its head has come; once. Throws as client::send().
    task<client_response> response();

private:
    friend detail::client_core;

    explicit upload(std::shared_ptr<detail::client_exchange> exchange) noexcept
        : exchange_(std::move(exchange))
    {
    }

    void must_not_be_ended() const;
    static task<client_response> receive(std::shared_ptr<detail::client_exchange> from);

    std::shared_ptr<detail::client_exchange> exchange_;
    bool ended_ = false;
    bool answered_ = false;
};

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/upload.ipp>
#endif
