// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/http/client_options.hpp>
#include <brood/http/client_request.hpp>
#include <brood/http/client_response.hpp>
#include <brood/http/upload.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace brood::http
{

/// Sends requests, and keeps connections for the next ones: to any number of hosts, one connection
/// for each request that is under way.
///
/// Copies share the connections. Nothing runs between requests, so that a client keeps no loop from
/// ending; use it on one thread. Redirects, cookies, compression, TLS and proxies are not its
/// business.
/// Follows Node's http.Agent: https://nodejs.org/api/http.html#class-httpagent
class client
{
public:
    explicit client(client_options options = {});

    /// Sends a request with its whole body, and resumes when the head of the response has come.
    ///
    /// Every status is a response. A kept connection that the server closes meanwhile is replaced
    /// by a new one, once, when the request is idempotent: RFC 9110, section 9.2.2. Throws
    /// brood::error: errc::timed_out, errc::closed when the server closes before it has answered,
    /// errc::malformed and errc::too_large for what it answers; and std::system_error for what the
    /// system refuses, as a connection. They name the URL and the step. Cancelled, it closes the
    /// connection: the server may have carried the request out.
    task<client_response> send(client_request request);

    /// The same, and reads the whole body: at most 1 MiB, unless max_body says otherwise.
    task<answer> fetch(client_request request);

    /// Asks for what a URL names: fetch() with GET. Throws std::invalid_argument for what is no
    /// such URL.
    task<answer> get(std::string url);

    /// Sends the head of a request whose body is to follow in pieces, and resumes when the kernel
    /// has it. Throws as send(), and std::invalid_argument for a Content-Length that is none, and
    /// for a request that has a body already.
    task<http::upload> upload(client_request request);

    /// How many connections are kept for another request.
    std::size_t idle() const;

    /// Closes them.
    void close_idle();

private:
    std::shared_ptr<detail::client_core> core_;
};

/// Sends a request on a connection of its own, and reads the whole answer: client::fetch().
task<answer> fetch(client_request request, client_options options = {});

/// Asks for what a URL names, on a connection of its own: client::get().
///
///     auto answer = co_await brood::http::get("http://127.0.0.1:8080/health");
task<answer> get(std::string url, client_options options = {});

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/client.ipp>
#endif
