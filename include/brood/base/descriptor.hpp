// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace brood
{

/// A file descriptor with one owner, which closes it. Every one that brood makes is close-on-exec
/// from birth.
class descriptor
{
public:
    descriptor() noexcept = default;

    /// Takes over an open descriptor; -1 means none.
    explicit descriptor(int number) noexcept : number_(number) {}

    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

    descriptor& operator=(descriptor&& other) noexcept
    {
        std::swap(number_, other.number_);
        other.reset();
        return *this;
    }

    ~descriptor() { reset(); }

    /// The number, or -1 when there is none.
    int get() const noexcept { return number_; }

    explicit operator bool() const noexcept { return number_ >= 0; }

    /// Gives the number away; the caller closes it.
    [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }

    /// Closes it now. An error of close(2) is not reported: the number is free all the same on
    /// Linux.
    void reset() noexcept
    {
        if (number_ >= 0)
            ::close(std::exchange(number_, -1));
    }

    /// A second descriptor for the same open file, close-on-exec. Throws std::system_error (EMFILE,
    /// EBADF).
    descriptor duplicate() const { return duplicate_of(number_); }

    /// The same for a number that somebody else owns.
    static descriptor duplicate_of(int number)
    {
        return descriptor(check(::fcntl(number, F_DUPFD_CLOEXEC, 3), "duplicate descriptor",
                                std::to_string(number)));
    }

private:
    int number_ = -1;
};

} // namespace brood
