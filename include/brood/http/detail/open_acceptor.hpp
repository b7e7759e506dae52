// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio_net.hpp>
#include <brood/base/detail/out_of_resources.hpp>
#include <brood/base/error.hpp>
#include <brood/base/task.hpp>
#include <brood/http/stream_socket.hpp>

#include <asio/basic_socket_acceptor.hpp>

#include <cerrno>
#include <memory>
#include <optional>
#include <sys/socket.h>
#include <system_error>
#include <tuple>
#include <utility>

namespace brood::http::detail
{

/// An acceptor of Asio with the face of a brood::listener. Copies are for the same acceptor.
class open_acceptor
{
public:
    using acceptor_type = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

    /// Takes the descriptor of a socket that listens.
    open_acceptor(asio::any_io_executor executor, int number)
        : from_(std::make_shared<acceptor_type>(std::move(executor)))
    {
        sockaddr_storage local = {};
        socklen_t size = sizeof local;
        descriptor listening(number);
        check(::getsockname(number, reinterpret_cast<sockaddr*>(&local), &size),
              "serve an acceptor");
        from_->assign(asio::generic::stream_protocol(local.ss_family, 0), number);
        static_cast<void>(listening.release()); // it has a new owner
    }

    /// The next connection, or nothing when it is closed.
    task<std::optional<stream_socket>> accept() { return next(from_); }

    void close()
    {
        std::error_code ignored;
        from_->close(ignored);
    }

private:
    static task<std::optional<stream_socket>> next(std::shared_ptr<acceptor_type> from)
    {
        while (from->is_open())
        {
            stream_socket connection(from->get_executor());
            auto accepting = from->async_accept(connection, brood::detail::use_tuple);
            auto result = co_await std::move(accepting);
            auto failed = std::get<0>(result);
            if (!failed)
                co_return connection;
            if (brood::detail::is_out_of_resources(failed.value()))
                co_await sleep(brood::detail::until_resources_may_be_free);
            else if (failed.value() == EINVAL)
                throw std::system_error(failed, "accept");
        }
        co_return std::nullopt;
    }

    std::shared_ptr<acceptor_type> from_;
};

} // namespace brood::http::detail
