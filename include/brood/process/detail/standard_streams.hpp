// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <initializer_list>
#include <unistd.h>

namespace brood::detail
{

/// A standard stream that is closed leads to the null device: else something that is opened here
/// would take its number, and be the standard stream of this program and of its children.
inline void open_standard_streams()
{
    for (int number : {0, 1, 2})
        if (::fcntl(number, F_GETFD) == -1)
        {
            auto opened = ::open("/dev/null", O_RDWR); // takes the lowest number that is free
            if (opened > 2)
                ::close(opened); // another thread was faster
        }
}

} // namespace brood::detail
