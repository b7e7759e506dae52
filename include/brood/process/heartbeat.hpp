// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/wire/shared_bytes.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace brood::detail
{

/// A counter in shared memory that a worker's own loop advances, and its primary looks at: a worker
/// whose loop stands still is seen, however busy its channel is.
class heartbeat
{
public:
    using counter = std::atomic<std::uint64_t>;

    static_assert(counter::is_always_lock_free,
                  "a lock in shared memory would be another for each");

    /// For the primary: the file that both share.
    static descriptor make_file() { return make_memory_file(sizeof(counter)); }

    /// For the worker. Throws std::system_error when it is no such file.
    explicit heartbeat(const descriptor& file)
        : memory_(file, checked_size(file), PROT_READ | PROT_WRITE, MAP_SHARED)
    {
    }

    /// One store, no system call.
    void beat() noexcept
    {
        auto& count = *reinterpret_cast<counter*>(memory_.bytes().data());
        count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    /// For the primary, which does not map what a worker could cut off.
    static std::uint64_t count(const descriptor& file)
    {
        std::array<std::byte, sizeof(counter)> bytes;
        read_file(file, bytes);
        std::uint64_t result = 0;
        std::memcpy(&result, bytes.data(), sizeof result);
        return result;
    }

private:
    static std::size_t checked_size(const descriptor& file)
    {
        if (size_of_file(file) < sizeof(counter))
            throw_system_error(EINVAL, "heartbeat", "in a file that is too small");
        return sizeof(counter);
    }

    mapping memory_;
};

} // namespace brood::detail
