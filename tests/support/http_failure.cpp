// SPDX-License-Identifier: BSL-1.0
#include "support/http_failure.hpp"

namespace brood::test
{

task<failure> failure_of(http::client client, http::client_request request)
{
    return failure_of(client.fetch(std::move(request)));
}

} // namespace brood::test
