// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/process/traffic.hpp>
#include <brood/wire/internal/memory_file.hpp>
#include <brood/wire/shared_bytes.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sys/mman.h>
#include <unistd.h>

namespace brood::detail
{

/// What a worker tells its primary in shared memory, without a system call: a counter that its own
/// loop advances, so that a loop that stands still is seen, however busy its channel is; and what
/// its servers count.
class vital_signs
{
public:
    using clock = std::chrono::steady_clock;

    /// What the primary reads. Only figures: a worker can write anything there.
    struct figures
    {
        std::uint64_t beats = 0;
        std::uint64_t beat_at = 0; // nanoseconds of the clock that all processes share
        traffic_numbers traffic = {};

        /// Since the last beat; nothing before the first.
        std::optional<std::chrono::milliseconds> age(clock::time_point now) const noexcept
        {
            if (beats == 0)
                return std::nullopt;
            auto passed = nanoseconds_of(now) - std::min(beat_at, nanoseconds_of(now));
            return std::chrono::milliseconds(static_cast<std::int64_t>(passed / 1'000'000));
        }
    };

    /// For the primary: the file that both share.
    static descriptor make_file() { return make_memory_file(file_size); }

    /// For the primary, which does not map what a worker could cut off: what is missing is 0.
    static figures read(const descriptor& file)
    {
        figures result;
        retry([&] { return ::pread(file.get(), &result, sizeof result, 0); });
        return result;
    }

    /// For the worker: its file, which stays in memory until the process ends, as servers may count
    /// until then. Throws std::system_error when it is no such file.
    explicit vital_signs(const descriptor& file) : page_(map(file)) {}

    /// Two stores, no system call.
    void beat() noexcept
    {
        page_->beat_at.store(nanoseconds_of(clock::now()), std::memory_order_relaxed);
        auto& beats = page_->beats;
        beats.store(beats.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    traffic_cells& traffic() noexcept { return page_->traffic; }

private:
    // More than is used, and what is added comes last: a worker of a later version, which a reload
    // may start, finds room for what this primary does not read.
    static constexpr std::size_t file_size = 4096;

    struct page
    {
        std::atomic<std::uint64_t> beats;
        std::atomic<std::uint64_t> beat_at;
        traffic_cells traffic;
    };

    static_assert(std::atomic<std::uint64_t>::is_always_lock_free,
                  "a lock in shared memory would be another for each");
    static_assert(sizeof(page) == sizeof(figures));
    static_assert(sizeof(page) <= file_size);

    static std::uint64_t nanoseconds_of(clock::time_point time) noexcept
    {
        std::chrono::nanoseconds since = time.time_since_epoch();
        return static_cast<std::uint64_t>(since.count());
    }

    static page* map(const descriptor& file)
    {
        if (size_of_file(file) < sizeof(page))
            throw_system_error(EINVAL, "vital signs", "in a file that is too small");
        auto size = sizeof(page);
        auto memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
        return static_cast<page*>(check(memory, "map memory", "for vital signs"));
    }

    page* page_;
};

} // namespace brood::detail
