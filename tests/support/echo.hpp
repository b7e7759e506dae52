// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/process.hpp>

namespace brood::test
{

/// A child, or a worker, that sends every number back until its parent has gone.
inline task<> echo(process& self)
{
    for (;;)
    {
        auto number = co_await self.message<int>();
        if (!number)
            break;
        self.send(*number);
    }
}

} // namespace brood::test
