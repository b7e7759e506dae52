// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio_net.hpp>
#include <brood/base/detail/out_of_resources.hpp>
#include <brood/base/error.hpp>
#include <brood/base/task.hpp>

#include <asio/basic_socket_acceptor.hpp>

#include <cerrno>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

namespace brood::http::detail
{

/// An acceptor of Asio with the face of a brood::listener. Copies are for the same acceptor.
template <class Protocol, class Executor>
class open_acceptor
{
public:
    using acceptor_type = asio::basic_socket_acceptor<Protocol, Executor>;
    using socket_type = typename Protocol::socket;

    explicit open_acceptor(acceptor_type from)
        : from_(std::make_shared<acceptor_type>(std::move(from)))
    {
    }

    /// The next connection, or nothing when it is closed.
    task<std::optional<socket_type>> accept() { return next(from_); }

    void close()
    {
        std::error_code ignored;
        from_->close(ignored);
    }

private:
    static task<std::optional<socket_type>> next(std::shared_ptr<acceptor_type> from)
    {
        while (from->is_open())
        {
            socket_type connection(from->get_executor());
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
