// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/pool/detail/call_context.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace brood::detail
{

/// Runs everything as another executor does, with a call as the current one: so that a coroutine
/// finds its call by this_call() wherever it goes on.
class context_executor
{
    using inner = asio::any_io_executor;

public:
    context_executor(inner executor, std::shared_ptr<const call_context> call) noexcept
        : inner_(std::move(executor)), call_(std::move(call))
    {
    }

    template <class Function>
    void execute(Function&& function) const
    {
        inner_.execute(
            [call = call_, run = std::decay_t<Function>(std::forward<Function>(function))]() mutable
            {
                current_call_scope scope(std::move(call));
                std::move(run)();
            });
    }

    template <class Property>
    requires asio::can_query_v<const inner&, Property>
    decltype(auto) query(const Property& property) const { return asio::query(inner_, property); }

    template <class Property>
    requires asio::can_require_v<const inner&, Property>
        context_executor require(const Property& property)
    const { return {asio::require(inner_, property), call_}; }

    template <class Property>
    requires asio::can_prefer_v<const inner&, Property>
        context_executor prefer(const Property& property)
    const { return {asio::prefer(inner_, property), call_}; }

    friend bool operator==(const context_executor& left, const context_executor& right) noexcept
    {
        return left.inner_ == right.inner_ && left.call_ == right.call_;
    }

private:
    inner inner_;
    std::shared_ptr<const call_context> call_;
};

} // namespace brood::detail
