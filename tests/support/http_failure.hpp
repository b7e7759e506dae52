// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/http/client.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace brood::test
{

/// What was thrown: its code and its text.
struct failure
{
    failure() = default;

    std::error_code code;
    std::string text;
};

/// What an operation throws.
template <class Value>
task<failure> failure_of(task<Value> operation)
{
    failure failed;
    try
    {
        co_await std::move(operation);
        failed.text = "nothing was thrown";
    }
    catch (const std::system_error& thrown)
    {
        failed.code = thrown.code();
        failed.text = thrown.what();
    }
    co_return failed;
}

/// What a request for a whole answer throws.
task<failure> failure_of(http::client client, http::client_request request);

} // namespace brood::test
