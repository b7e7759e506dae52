// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>

#include <chrono>
#include <optional>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace brood::detail
{

/// Lines of a descriptor, which blocks. Reads byte by byte: what follows is another reader's.
class input_lines
{
public:
    static constexpr std::size_t longest = std::size_t{64} << 10;

    using clock = std::chrono::steady_clock;

    explicit input_lines(int from) noexcept : from_(from) {}

    /// The next line without its end; nothing at the end, for a line that is too long, and when it
    /// does not come in time.
    std::optional<std::string> next(std::optional<clock::time_point> until = std::nullopt)
    {
        std::string line;
        for (char letter = 0; line.size() < longest;)
        {
            if (until && !wait(*until))
                return std::nullopt;
            if (retry([&] { return ::read(from_, &letter, 1); }) != 1)
                return std::nullopt;
            if (letter == '\n')
                return line;
            line += letter;
        }
        return std::nullopt;
    }

private:
    bool wait(clock::time_point until) const
    {
        using std::chrono::milliseconds;
        auto left = std::chrono::duration_cast<milliseconds>(until - clock::now()).count();
        pollfd state{from_, POLLIN, 0};
        return left > 0 && retry([&] { return ::poll(&state, 1, static_cast<int>(left)); }) == 1;
    }

    int from_;
};

} // namespace brood::detail
