// SPDX-License-Identifier: BSL-1.0
#include <brood/process/detail/child_stack.hpp>

#include "support/catch.hpp"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using brood::detail::child_stack;

namespace
{

/// The signal that ends a process which writes at this address, or 0.
int signal_of_writing(std::byte* at)
{
    auto pid = ::fork();
    if (pid == 0)
    {
        ::signal(SIGSEGV, SIG_DFL);
        *static_cast<volatile std::byte*>(at) = std::byte{1};
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

} // namespace

TEST_CASE("a child has its stack, and ends when it needs more", "[child_stack]")
{
    child_stack stack;
    REQUIRE(stack);
    auto top = static_cast<std::byte*>(stack.top());

    CHECK(signal_of_writing(top - 1) == 0);
    CHECK(signal_of_writing(top - child_stack::room) == 0);
    CHECK(signal_of_writing(top - child_stack::room - 1) == SIGSEGV);
}

#if defined(__SANITIZE_ADDRESS__)

TEST_CASE("AddressSanitizer's marks go with the stack", "[child_stack]")
{
    void* bottom = nullptr;
    {
        child_stack stack;
        REQUIRE(stack);
        bottom = static_cast<std::byte*>(stack.top()) - child_stack::room;
        // As a function does that never returns.
        ASAN_POISON_MEMORY_REGION(bottom, child_stack::room);
    }

    CHECK(__asan_region_is_poisoned(bottom, child_stack::room) == nullptr);
}

#endif
