// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/exit_info.hpp>
#include <brood/cluster/worker.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace brood::detail
{

/// Who hears of an end inside a supervised child, besides its own.
using end_observer = std::function<void(exit_info)>;

/// Something that a supervisor keeps alive, and can start again: a worker, a cluster, or a
/// supervisor of others. What it waits for stays valid when it is started again meanwhile.
class supervised
{
public:
    supervised() = default;
    supervised(const supervised&) = delete;
    supervised& operator=(const supervised&) = delete;
    virtual ~supervised() = default;

    /// Starts it. What cannot be started has ended when this returns.
    virtual void start(end_observer on_end) = 0;

    /// Waits until it can be given work: true; false when it ended before.
    virtual task<bool> ready() = 0;

    /// Waits for its end. An id of 0 and no failure: it has nothing left to do.
    virtual task<exit_info> ended() = 0;

    /// Asks it to end, and makes it.
    virtual void stop(exit_cause cause) = 0;

    /// The worker with that name in it, as a path; nothing when there is none.
    virtual std::optional<worker> find(std::string_view path) = 0;
};

} // namespace brood::detail
