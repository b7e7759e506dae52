// SPDX-License-Identifier: BSL-1.0
// What a fib process answers, and the log prints.
#pragma once

#include <cstdint>
#include <sys/types.h>

struct answer
{
    int num = 0;
    std::uint64_t value = 0;
    pid_t pid = 0; // of the process that computed it

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(num, value, pid);
    }
};
