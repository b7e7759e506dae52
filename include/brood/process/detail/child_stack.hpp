// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <sys/mman.h>

#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#endif

namespace brood::detail
{

/// The memory that a child runs on until its program replaces it.
class child_stack
{
public:
    child_stack() noexcept
        : bottom_(::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0))
    {
        // The lowest page catches an overflow.
        if (*this)
            ::mprotect(bottom_, page, PROT_NONE);
    }

    ~child_stack()
    {
        if (*this)
            give_back();
    }

    child_stack(const child_stack&) = delete;
    child_stack& operator=(const child_stack&) = delete;

    explicit operator bool() const noexcept { return bottom_ != MAP_FAILED; }

    void* top() const noexcept { return static_cast<std::byte*>(bottom_) + size; }

    /// How many bytes below the top may be used.
    static constexpr std::size_t room = 65536;

private:
    static constexpr std::size_t page = 65536; // the largest of any architecture
    static constexpr std::size_t size = page + room;

    // The functions that the child was in never returned: AddressSanitizer's marks for their
    // variables would be found by whoever gets these addresses next.
    void give_back() noexcept
    {
#ifdef ASAN_UNPOISON_MEMORY_REGION
        ASAN_UNPOISON_MEMORY_REGION(bottom_, size);
#endif
        ::munmap(bottom_, size);
    }

    void* bottom_;
};

} // namespace brood::detail
