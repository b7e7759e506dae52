// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/quiet_write.hpp>
#include <brood/base/error.hpp>
#include <brood/process/internal/pipe_ends.hpp>
#include <brood/remote/detail/bootstrap.hpp>

#include <fcntl.h>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace brood::detail
{

/// The stdin of a launcher's process, on our side. What is written fits into a pipe.
class launcher_input
{
public:
    /// Throws std::system_error.
    launcher_input()
    {
        auto made = pipe_ends::made();
        reading_ = std::move(made.reading);
        writing_ = std::move(made.writing);
        check(::fcntl(writing_.get(), F_SETFL, O_NONBLOCK), "make a pipe that does not block");
    }

    /// The other end, once.
    descriptor take_reading_end() noexcept { return std::move(reading_); }

    /// Whether all of it is on its way.
    bool write(std::string_view text)
    {
        auto count = writing_ ? quiet_write(writing_.get(), text) : -1;
        return count == static_cast<ssize_t>(text.size());
    }

    /// From here on somebody reads there who understands signals.
    void arrive() noexcept { arrived_ = true; }

    bool has_arrived() const noexcept { return arrived_; }

    /// Sends a signal to the worker; false when it is not there yet, or no more.
    bool signal(int number)
    {
        return arrived_ && writing_ && (number == 0 || write(signal_line(number)));
    }

    void close() noexcept { writing_.reset(); }

private:
    descriptor reading_;
    descriptor writing_;
    bool arrived_ = false;
};

} // namespace brood::detail
