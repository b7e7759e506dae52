// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/http/detail/request_context.hpp>
#include <brood/http/refusal.hpp>

#include <exception>
#include <string>
#include <system_error>

// What a client is told when its request fails: each error names the URL.

namespace brood::http::detail
{

/// What is known of the connection of a request that fails.
struct connection_end
{
    bool kept;     ///< It has served requests before.
    bool answered; ///< Something of the response has come.
    bool at_end;   ///< The server has closed.
};

/// Whether the system says that the server has closed.
inline bool is_gone(const std::error_code& said)
{
    auto why = plain(said);
    return why == std::errc::broken_pipe || why == std::errc::connection_reset ||
           why == std::errc::not_connected;
}

/// The server has closed before the end.
inline error closed(const request_context& of, const connection_end& at)
{
    if (at.answered)
        return of.failure(errc::closed,
                          "the connection was closed before the response was complete");
    if (!at.kept)
        return of.failure(errc::closed, "the server closed the connection without an answer");
    std::string text = "the server closed a kept connection before it answered";
    if (of.streamed)
        text += ", and a body in pieces cannot be sent again by itself";
    else if (!of.is_repeatable())
        text += ", and the request is not sent again by itself: it may have been carried out";
    return of.failure(errc::closed, text);
}

/// The parser refuses what came.
inline error explain(const request_context& of, const refusal& why, const connection_end& at)
{
    if (why.status() == 408)
        return of.late("reading the body", of.options.idle_timeout);
    if (at.at_end)
        return closed(of, at);
    if (why.status() == 413 || why.status() == 431)
        return of.failure(errc::too_large, std::string("the response is refused: ") + why.what());
    return of.failure(errc::malformed, std::string("the response is malformed: ") + why.what());
}

/// What to throw for what was thrown while a connection was used.
inline std::exception_ptr explain(const request_context& of, const std::exception_ptr& why,
                                  const connection_end& at)
{
    try
    {
        std::rethrow_exception(why);
    }
    catch (const refusal& said)
    {
        return std::make_exception_ptr(explain(of, said, at));
    }
    catch (const error&)
    {
        return why;
    }
    catch (const std::system_error& said)
    {
        if (is_gone(said.code()))
            return std::make_exception_ptr(closed(of, at));
        return std::make_exception_ptr(
            of.failure(said.code(), "use the connection to " + of.key()));
    }
    catch (...)
    {
        return why;
    }
}

} // namespace brood::http::detail
