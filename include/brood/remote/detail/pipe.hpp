// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace brood::detail
{

/// A pipe whose ends no program that is started gets by chance.
struct pipe_of_ours
{
    descriptor reading, writing;

    /// Throws std::system_error.
    pipe_of_ours()
    {
        int ends[2];
        check(::pipe2(ends, O_CLOEXEC), "make a pipe");
        reading = descriptor(ends[0]);
        writing = descriptor(ends[1]);
    }
};

/// The same opening once more; an empty one for what is not open.
inline descriptor duplicate(int number)
{
    return descriptor(::fcntl(number, F_DUPFD_CLOEXEC, 3));
}

} // namespace brood::detail
