// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/refusal.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace brood::http
{

/// How much of a message is read before it is refused.
struct parser_limits
{
    std::size_t head_size = 16'384;  ///< Bytes, of the fields behind a body too: else 431.
    std::size_t field_count = 2'000; ///< Else 431.
    std::uint64_t body_size = std::numeric_limits<std::uint64_t>::max(); ///< Bytes; else 413.
};

namespace detail
{

/// Counts what has been read of a message, and throws refusal for what is too much.
class size_budget
{
public:
    explicit size_budget(const parser_limits& limits) noexcept : limits_(limits) {}

    /// More of the head has been read, and so many bytes of it at least are still to come.
    void head(std::size_t read, std::size_t more)
    {
        head_size_ += read;
        if (head_size_ + more > limits_.head_size)
            throw refusal(431, "the head is too long");
    }

    /// There are so many fields, and one more.
    void field(std::size_t count) const
    {
        if (count >= limits_.field_count)
            throw refusal(431, "too many fields");
    }

    /// What stands before and between chunks, and behind them.
    void between_chunks(std::size_t size) const
    {
        if (size > limits_.head_size)
            throw refusal(431, "the size of a chunk, or the fields behind the body, are too long");
    }

    /// The head says how long the body is.
    void promised(std::uint64_t size) const
    {
        if (size > limits_.body_size)
            throw refusal(413, "the body is too long");
    }

    /// A piece of the body has been read, and what stood around it. Chunks of a byte with long
    /// extensions would keep us busy for nothing.
    void piece(std::size_t body, std::size_t around)
    {
        body_size_ += body;
        overhead_ += around;
        promised(body_size_);
        if (overhead_ / 16 > body_size_ + 4'096)
            throw refusal(400, "chunks with more around them than in them");
    }

private:
    parser_limits limits_;
    std::size_t head_size_ = 0;
    std::uint64_t body_size_ = 0;
    std::uint64_t overhead_ = 0;
};

} // namespace detail
} // namespace brood::http
