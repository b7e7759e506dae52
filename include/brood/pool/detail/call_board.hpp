// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/wire/internal/memory_file.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <sys/mman.h>

namespace brood::detail
{

/// How far a call has come, as the primary and the worker tell each other in shared memory.
enum class call_phase : std::uint8_t
{
    none,
    queued,    ///< The worker has it, or will have it soon.
    started,   ///< The worker has begun it.
    revoked,   ///< The primary has taken it back before that.
    cancelled, ///< It has begun, and nobody wants its result any more.
    done,
};

/// Memory that a worker of a pool shares with its primary: one word for each call that the worker
/// may have at a time, in a cache line of its own, as the two write at the same time.
///
/// A word is changed by compare-and-swap, so that a call is either begun by the worker or taken
/// back by the primary. What stands there after the end of a worker says which calls it had begun.
/// The worker may write anything: the primary reads words as claims, and nothing else is there. The
/// file is sealed against being cut off; where there are no seals there is no board, and every call
/// counts as begun.
class call_board
{
public:
    static constexpr std::size_t most_places = 512;
    static constexpr std::size_t cache_line = 64;
    static constexpr std::size_t file_size = most_places * cache_line;

    /// The file of a new board; none where files in memory cannot be sealed.
    static descriptor make_file()
    {
        auto file = make_memory_file(file_size);
#ifdef F_ADD_SEALS
        if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
            return file;
#endif
        return descriptor();
    }

    /// No board.
    call_board() noexcept = default;

    explicit call_board(const descriptor& file)
    {
        if (file && size_of_file(file) >= file_size)
            words_ = std::make_shared<mapping>(file, file_size, PROT_READ | PROT_WRITE, MAP_SHARED);
    }

    explicit operator bool() const noexcept
    {
        return words_ != nullptr;
    }

    /// By the primary, before it sends the call.
    void queue(std::size_t place, std::uint64_t call) noexcept
    {
        if (words_)
            word(place).store(packed(call, call_phase::queued), std::memory_order_release);
    }

    /// By the primary: true when the call had not begun, and will not.
    bool revoke(std::size_t place, std::uint64_t call) noexcept
    {
        return words_ && swap(place, call, call_phase::queued, call_phase::revoked);
    }

    /// By the primary: nobody waits for it any more.
    void cancel(std::size_t place, std::uint64_t call) noexcept
    {
        if (words_)
            swap(place, call, call_phase::started, call_phase::cancelled);
    }

    /// By the worker: false when the call was taken back.
    bool start(std::size_t place, std::uint64_t call) noexcept
    {
        return !words_ || swap(place, call, call_phase::queued, call_phase::started);
    }

    /// By the worker. A large reply has left by now: the place may be another call's already.
    void finish(std::size_t place, std::uint64_t call) noexcept
    {
        if (words_ && !swap(place, call, call_phase::started, call_phase::done))
            swap(place, call, call_phase::cancelled, call_phase::done);
    }

    /// Whether the worker has begun the call, for all that can be known.
    bool may_have_started(std::size_t place, std::uint64_t call) const noexcept
    {
        return !words_ ||
               word(place).load(std::memory_order_acquire) != packed(call, call_phase::queued);
    }

    /// Whether the worker is in the middle of it, as far as it says.
    bool is_running(std::size_t place, std::uint64_t call) const noexcept
    {
        if (!words_)
            return true;
        auto now = word(place).load(std::memory_order_acquire);
        return now == packed(call, call_phase::started) ||
               now == packed(call, call_phase::cancelled);
    }

    bool is_cancelled(std::size_t place, std::uint64_t call) const noexcept
    {
        return words_ &&
               word(place).load(std::memory_order_acquire) == packed(call, call_phase::cancelled);
    }

private:
    using atomic_word = std::atomic<std::uint64_t>;

    static_assert(atomic_word::is_always_lock_free && sizeof(atomic_word) == sizeof(std::uint64_t),
                  "a lock in shared memory would be another for each");

    static std::uint64_t packed(std::uint64_t call, call_phase phase) noexcept
    {
        return call << 3 | static_cast<std::uint64_t>(phase);
    }

    atomic_word& word(std::size_t place) const noexcept
    {
        auto from = place % most_places * cache_line;
        return *reinterpret_cast<atomic_word*>(words_->bytes().data() + from);
    }

    bool swap(std::size_t place, std::uint64_t call, call_phase from, call_phase to) noexcept
    {
        auto expected = packed(call, from);
        return word(place).compare_exchange_strong(expected, packed(call, to));
    }

    std::shared_ptr<mapping> words_;
};

} // namespace brood::detail
