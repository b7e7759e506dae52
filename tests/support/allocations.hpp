// SPDX-License-Identifier: BSL-1.0
#pragma once

// Counts what operator new hands out. For one file of a program: it replaces the operator.

#include <cstddef>
#include <cstdlib>
#include <new>

/// What has been allocated since the program began.
struct allocations
{
    std::size_t count = 0;
    std::size_t bytes = 0;

    static allocations& total()
    {
        static allocations all;
        return all;
    }

    allocations operator-(const allocations& before) const
    {
        return {count - before.count, bytes - before.bytes};
    }
};

/// What a piece of work allocated.
template <class Work>
allocations allocated_by(Work work)
{
    auto before = allocations::total();
    work();
    return allocations::total() - before;
}

namespace detail
{

inline void* count_allocation(std::size_t size) noexcept
{
    auto& total = allocations::total();
    ++total.count;
    total.bytes += size;
    return std::malloc(size);
}

} // namespace detail

// Not inlined, as g++ would then see memory of malloc given to operator delete. Those for arrays
// call these by default; AddressSanitizer has its own of each.

[[gnu::noinline]] void* operator new(std::size_t size)
{
    if (auto memory = detail::count_allocation(size))
        return memory;
    throw std::bad_alloc();
}

[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
    return detail::count_allocation(size);
}

[[gnu::noinline]] void* operator new[](std::size_t size)
{
    return operator new(size);
}

[[gnu::noinline]] void* operator new[](std::size_t size, const std::nothrow_t& nothrow) noexcept
{
    return operator new(size, nothrow);
}

[[gnu::noinline]] void operator delete(void* memory) noexcept
{
    std::free(memory);
}

[[gnu::noinline]] void operator delete[](void* memory) noexcept
{
    std::free(memory);
}

[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept
{
    std::free(memory);
}

[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept
{
    std::free(memory);
}
