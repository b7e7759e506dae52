// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

namespace brood::detail
{

/// A queue in one piece of memory that it keeps, where std::deque would allocate as it moves along.
/// For values that hold nothing once they have been moved from.
template <class Value>
class ring
{
public:
    bool empty() const noexcept { return size_ == 0; }

    std::size_t size() const noexcept { return size_; }

    Value& operator[](std::size_t index) noexcept { return slots_[place(index)]; }

    Value& front() noexcept { return slots_[first_]; }

    void push_back(Value&& value)
    {
        if (size_ == slots_.size())
            grow();
        slots_[place(size_)] = std::move(value);
        ++size_;
    }

    Value pop_front()
    {
        auto value = std::move(slots_[first_]);
        first_ = place(1);
        --size_;
        return value;
    }

    void clear() { *this = ring(); }

private:
    // The number of slots is a power of two, so that a place is found without dividing.
    std::size_t place(std::size_t index) const noexcept
    {
        return (first_ + index) & (slots_.size() - 1);
    }

    void grow()
    {
        std::vector<Value> larger(std::bit_ceil(slots_.size() + 8));
        for (std::size_t index = 0; index < size_; ++index)
            larger[index] = std::move(slots_[place(index)]);
        slots_ = std::move(larger);
        first_ = 0;
    }

    std::vector<Value> slots_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

} // namespace brood::detail
