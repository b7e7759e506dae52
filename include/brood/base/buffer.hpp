// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace brood
{

/// A queue of bytes in one piece of memory: written at its end, consumed from its front.
///
/// Memory is kept from fill to fill, so that a steady flow allocates nothing. What a burst took is
/// given back when the buffer is empty again, unless the fill before took as much.
class buffer
{
public:
    /// What an empty buffer keeps in any case, in bytes.
    static constexpr std::size_t kept = std::size_t{2} << 20;

    std::size_t size() const noexcept { return end_ - begin_; }

    bool empty() const noexcept { return begin_ == end_; }

    std::span<const std::byte> data() const noexcept { return {memory_.get() + begin_, size()}; }

    std::span<std::byte> data() noexcept { return {memory_.get() + begin_, size()}; }

    /// Adds bytes at the end.
    void append(const void* bytes, std::size_t count)
    {
        if (count == 0)
            return;
        std::memcpy(prepare(count).data(), bytes, count);
        commit(count);
    }

    /// Room for at least `count` bytes behind the end, valid until the next call that writes.
    std::span<std::byte> prepare(std::size_t count)
    {
        if (capacity_ - end_ < count)
            make_room(count);
        return {memory_.get() + end_, capacity_ - end_};
    }

    /// The first `count` bytes of the prepared room have been written.
    void commit(std::size_t count) noexcept { end_ += count; }

    /// Removes bytes from the front.
    void consume(std::size_t count) noexcept
    {
        begin_ += count;
        if (begin_ == end_)
            clear();
    }

    /// Removes bytes from the end, down to `size`: takes back what was written last.
    void truncate(std::size_t size) noexcept { end_ = begin_ + size; }

    void clear() noexcept
    {
        auto filled = std::exchange(last_fill_, end_);
        begin_ = end_ = 0;
        if (capacity_ > kept && std::min(filled, last_fill_) <= kept)
        {
            memory_.reset();
            capacity_ = 0;
        }
    }

private:
    static constexpr std::size_t smallest = 4096;

    void make_room(std::size_t count)
    {
        auto used = size();
        // Moving pays only when it frees more than it moves; else a full buffer would move for
        // every byte.
        if (capacity_ - used >= count && begin_ >= used)
        {
            std::memmove(memory_.get(), memory_.get() + begin_, used);
        }
        else
        {
            auto capacity = std::max({smallest, capacity_ * 2, used + count});
            auto memory = std::make_unique_for_overwrite<std::byte[]>(capacity);
            if (used != 0)
                std::memcpy(memory.get(), memory_.get() + begin_, used);
            memory_ = std::move(memory);
            capacity_ = capacity;
        }
        begin_ = 0;
        end_ = used;
    }

    std::unique_ptr<std::byte[]> memory_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t last_fill_ = 0; // how far it was filled before it was last empty
};

} // namespace brood
