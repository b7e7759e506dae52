// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace brood
{

/// Tells when one of some files is changed, replaced, made or removed: to reload() the workers that
/// have read it, or that run it.
///
///     brood::file_watch configuration({"server.conf"});
///     for (;;)
///     {
///         co_await configuration.changed();
///         co_await workers.reload();
///     }
///
/// It looks every 200 ms, which works on every file system; see stat(2).
class file_watch
{
public:
    explicit file_watch(std::vector<std::string> paths);

    /// Waits until one of them is not what it was when this was made, or when this last ended.
    task<> changed();

private:
    struct state
    {
        bool exists = false;
        ino_t file = 0;
        off_t size = 0;
        std::int64_t seconds = 0, nanoseconds = 0; // of the time when it was written

        friend bool operator==(const state&, const state&) = default;
    };

    std::vector<state> look() const;

    std::vector<std::string> paths_;
    std::vector<state> seen_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/cluster/impl/file_watch.ipp>
#endif
