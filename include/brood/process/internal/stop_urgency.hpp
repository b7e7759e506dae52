// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/process/stop_policy.hpp>

#include <chrono>
#include <memory>
#include <utility>
#include <variant>

namespace brood::detail
{

/// That somebody is in a hurry: this process gets SIGTERM once more while it stops. For those who
/// stop others on its loop.
using stop_urgency = shared_result<std::monostate>;

/// Where those find it who know nothing but their loop.
class stop_urgency_of_loop final : public asio::execution_context::service
{
public:
    using key_type = stop_urgency_of_loop;
    inline static asio::execution_context::id id;

    explicit stop_urgency_of_loop(asio::execution_context& context)
        : asio::execution_context::service(context)
    {
    }

    void shutdown() noexcept override {}

    std::weak_ptr<stop_urgency> urgency;
};

/// From here on it is found on its loop: the one of brood::run(), which one thread runs.
inline void announce(const std::shared_ptr<stop_urgency>& urgency)
{
    auto& context = asio::query(urgency->executor(), asio::execution::context);
    asio::use_service<stop_urgency_of_loop>(context).urgency = urgency;
}

/// Null when nobody on this loop obeys SIGTERM.
inline std::shared_ptr<stop_urgency> find_stop_urgency(const asio::any_io_executor& executor)
{
    auto& context = asio::query(executor, asio::execution::context);
    if (!asio::has_service<stop_urgency_of_loop>(context))
        return nullptr;
    return asio::use_service<stop_urgency_of_loop>(context).urgency.lock();
}

/// How those are stopped who have had their time: their channels are closed and they get SIGTERM,
/// and a second later SIGKILL.
inline stop_policy urgent_stop()
{
    return stop_policy(std::chrono::seconds(1));
}

/// Does that to what is being stopped, when it is urgent; `what` has stopping() and
/// hasten(policy), and is not kept for it.
template <class Stopping>
task<> hasten_when_urgent(std::shared_ptr<stop_urgency> urgency, std::weak_ptr<Stopping> what)
{
    co_await urgency->get();
    auto still = what.lock();
    if (still && still->stopping())
        still->hasten(urgent_stop());
}

/// The same in the background, if there is somebody who may be in a hurry.
template <class Stopping>
void begin_hastening(const asio::any_io_executor& executor, const std::shared_ptr<Stopping>& what)
{
    if (auto urgency = find_stop_urgency(executor))
        asio::co_spawn(executor,
                       hasten_when_urgent(std::move(urgency), std::weak_ptr<Stopping>(what)),
                       asio::detached);
}

} // namespace brood::detail
