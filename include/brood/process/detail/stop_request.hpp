// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/process/internal/stop_urgency.hpp>
#include <brood/process/signals.hpp>
#include <brood/wire/channel.hpp>
#include <brood/wire/internal/link.hpp>

#include <csignal>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

namespace brood::detail
{

/// That this process was asked to stop, by SIGTERM or by the end of its channel: for all who wait.
class stop_request : public std::enable_shared_from_this<stop_request>
{
public:
    explicit stop_request(asio::any_io_executor executor)
        : asked_(executor), urgency_(std::make_shared<stop_urgency>(std::move(executor)))
    {
    }

    /// From the first call on, SIGTERM asks instead of ending the process, and hastens what it
    /// stops when it comes a second time.
    void listen(std::shared_ptr<link> to_parent)
    {
        if (terminate_)
            return;
        terminate_.emplace(asked_.executor(), SIGTERM);
        announce(urgency_);
        terminate_->wait_then([self = shared_from_this()] { self->ask_by_signal(); });
        if (to_parent)
        {
            auto end = set_at_end(shared_from_this(), std::move(to_parent));
            asio::co_spawn(asked_.executor(), std::move(end), asio::detached);
        }
    }

    /// Asks.
    void ask() { asked_.set({}); }

    bool asked() const noexcept { return asked_.ready(); }

    static task<> await(std::shared_ptr<stop_request> self) { co_await self->asked_.get(); }

private:
    void ask_by_signal()
    {
        asked_.set({});
        terminate_->wait_then([self = shared_from_this()] { self->urgency_->set({}); });
    }

    static task<> set_at_end(std::shared_ptr<stop_request> self, std::shared_ptr<link> to_parent)
    {
        co_await link::disconnected(std::move(to_parent));
        self->asked_.set({});
    }

    shared_result<std::monostate> asked_;
    std::shared_ptr<stop_urgency> urgency_;
    std::optional<signals> terminate_;
};

} // namespace brood::detail
