// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace bench
{

/// The time since this was made.
class stopwatch
{
public:
    double seconds() const
    {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// What a benchmark says: one number on one line, for tools/bench.
inline void report(double figure)
{
    std::printf("%.9g\n", figure);
    std::fflush(stdout);
}

/// A number from the command line, or what stands for it.
inline long argument(int argc, char** argv, int place, long otherwise)
{
    return argc > place ? std::atol(argv[place]) : otherwise;
}

/// Memory that this process has written to, so that a copy of it would cost.
inline std::vector<char> dirty_memory(long megabytes)
{
    return std::vector<char>(static_cast<std::size_t>(megabytes) << 20, 'x');
}

} // namespace bench
