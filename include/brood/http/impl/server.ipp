// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/loop.hpp>
#include <brood/http/detail/open_acceptor.hpp>
#include <brood/http/detail/server_core.hpp>
#include <brood/http/server.hpp>
#include <brood/process/listener.hpp>

#include <utility>

namespace brood::http
{

BROOD_INLINE server::server(handler answer, server_options options)
    : server(default_executor(), std::move(answer), std::move(options))
{
}

BROOD_INLINE server::server(asio::any_io_executor executor, handler answer, server_options options)
    : core_(std::make_shared<detail::server_core>(std::move(executor), std::move(answer),
                                                  std::move(options)))
{
}

BROOD_INLINE server::~server()
{
    if (core_)
        core_->close_all();
}

BROOD_INLINE void server::close()
{
    core_->close();
}

BROOD_INLINE void server::close_idle()
{
    core_->close_idle();
}

BROOD_INLINE void server::close_all()
{
    core_->close_all();
}

BROOD_INLINE task<> server::closed()
{
    return detail::server_core::closed(core_);
}

BROOD_INLINE std::size_t server::connections() const noexcept
{
    return core_->connections();
}

BROOD_INLINE std::size_t server::idle() const
{
    return core_->idle();
}

BROOD_INLINE task<> server::serve(listener from)
{
    return serve_from(core_, std::move(from));
}

BROOD_INLINE task<> server::serve(local_listener from)
{
    return serve_from(core_, std::move(from));
}

BROOD_INLINE task<> server::serve_open(core serving, asio::any_io_executor executor, int number)
{
    return serve_from(std::move(serving), detail::open_acceptor(std::move(executor), number));
}

BROOD_INLINE std::shared_ptr<void> server::closes_too(const core& of, std::function<void()> close)
{
    return of->closes_too(std::move(close));
}

BROOD_INLINE void server::add(const core& to, socket_type connection, std::string_view already_read)
{
    to->add(std::move(connection), already_read);
}

BROOD_INLINE task<> server::finish(core of)
{
    of->close();
    return detail::server_core::closed(std::move(of));
}

// The server lives until then.
BROOD_INLINE task<> detail::serve_alone(server, task<> serving)
{
    co_await std::move(serving);
}

} // namespace brood::http
