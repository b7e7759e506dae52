// SPDX-License-Identifier: BSL-1.0
#include "support/echo.hpp"

namespace brood::test
{

task<> echo(process& self)
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
