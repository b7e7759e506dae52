// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/detail/call_server.hpp>
#include <brood/pool/internal/served_call.hpp>

namespace brood::detail
{

BROOD_INLINE task<> serve_calls(process& self, std::vector<call_service> services)
{
    return call_server::serve(std::make_shared<call_server>(self, std::move(services)));
}

} // namespace brood::detail
