// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/detail/call_board.hpp>
#include <brood/pool/internal/call_message.hpp>
#include <brood/process/worker_limits.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace brood::detail
{

/// What this_call() tells of.
struct call_context
{
    /// Whether nobody wants its result any more.
    bool is_cancelled() const noexcept
    {
        if (board.is_cancelled(head.place, head.call))
            return true;
        if (head.deadline == 0)
            return false;
        auto now = std::chrono::steady_clock::now().time_since_epoch();
        return now >= std::chrono::nanoseconds(head.deadline); // also where there is no board
    }

    call_head head;
    call_board board;
    std::uint64_t worker = 0;
    std::size_t slot = 0;
    const worker_limits* limits = nullptr; ///< Of the worker, when it has any.
};

/// The call that this thread works on now; null for none.
inline thread_local std::shared_ptr<const call_context> current_call;

/// Makes a call the current one for as long as this lives.
class current_call_scope
{
public:
    explicit current_call_scope(std::shared_ptr<const call_context> call)
        : before_(std::exchange(current_call, std::move(call)))
    {
    }

    current_call_scope(const current_call_scope&) = delete;
    current_call_scope& operator=(const current_call_scope&) = delete;

    ~current_call_scope() { current_call = std::move(before_); }

private:
    std::shared_ptr<const call_context> before_;
};

} // namespace brood::detail
