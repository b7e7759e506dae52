// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/pool/pool_settings.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>

// What tests of pools say again and again.

namespace brood::test
{

/// A pool of so many workers; a call that has to stop has so long, before its worker is killed.
inline pool_settings workers(std::size_t count,
                             std::chrono::milliseconds grace = std::chrono::seconds(1))
{
    pool_settings settings;
    settings.size = count;
    settings.grace = grace;
    return settings;
}

/// How a call ended: null when it gave a result.
template <class Value>
task<std::exception_ptr> failure_of(task<Value> call)
{
    try
    {
        co_await std::move(call);
    }
    catch (...)
    {
        co_return std::current_exception();
    }
    co_return nullptr;
}

/// The exception, when it is one of these.
template <class Error>
std::optional<Error> as(const std::exception_ptr& thrown)
{
    try
    {
        if (thrown)
            std::rethrow_exception(thrown);
    }
    catch (const Error& known)
    {
        return known;
    }
    catch (...)
    {
    }
    return std::nullopt;
}

/// The code of the error that a call ended with; none when it gave a result.
template <class Value>
task<std::error_code> code_of(task<Value> call)
{
    auto thrown = co_await failure_of(std::move(call));
    auto known = as<std::system_error>(thrown);
    if (thrown && !known)
        std::rethrow_exception(thrown);
    co_return known ? known->code() : std::error_code();
}

} // namespace brood::test
