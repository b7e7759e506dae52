// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/quiet_write.hpp>
#include <brood/base/error.hpp>
#include <brood/base/loop.hpp>
#include <brood/base/task.hpp>
#include <brood/process/environment.hpp>
#include <brood/process/internal/pipe_ends.hpp>
#include <brood/process/pipe.hpp>
#include <brood/process/spawn.hpp>
#include <brood/remote/detail/late_command.hpp>
#include <brood/remote/slurm_allocation.hpp>
#include <brood/remote/slurm_command.hpp>

#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace brood::detail
{

/// The allocation that this process runs in, or one of its own: given back when this goes.
class held_allocation
{
public:
    /// Blocks until there is one. Throws std::runtime_error, with what Slurm said and the cure.
    explicit held_allocation(const slurm_options& options)
    {
        if (is_around())
            return;
        request(default_executor(), options);
        std::string said;
        while (!is_granted(said))
            hear(said, read_some(says_));
    }

    /// The same without blocking. Cancelled, it takes the request back.
    static task<std::shared_ptr<held_allocation>> when_granted(slurm_options options)
    {
        auto executor = co_await asio::this_coro::executor;
        std::shared_ptr<held_allocation> held(new held_allocation);
        if (held->is_around())
            co_return held;
        held->request(executor, options);
        pipe_reader says(executor, held->says_.duplicate());
        std::string said;
        while (!held->is_granted(said))
        {
            auto more = co_await says.read_some();
            hear(said, more);
        }
        co_return held;
    }

    held_allocation(const held_allocation&) = delete;
    held_allocation& operator=(const held_allocation&) = delete;

    const slurm_allocation& given() const noexcept { return given_; }

private:
    held_allocation() = default;

    /// Whether this process runs in one.
    bool is_around()
    {
        auto around = slurm_allocation::from(environment());
        if (around)
            given_ = std::move(*around);
        return around.has_value();
    }

    static std::string read_some(const descriptor& from)
    {
        std::array<char, 4096> bytes{};
        auto count = retry([&] { return ::read(from.get(), bytes.data(), bytes.size()); });
        return std::string(bytes.data(), static_cast<std::size_t>(check(count, "read salloc")));
    }

    // While it waits for its turn, salloc does not read its stdin. Somebody else reads descriptor
    // 3, which ends with this process, however that does, and takes the request back then.
    static launch_command watched(const launch_command& salloc)
    {
        auto script = "exec 4<&0; " + to_string(salloc) +
                      " <&4 3<&- 4<&- & salloc=$!; exec 4<&- </dev/null; "
                      "{ read -r granted <&3 || kill $salloc; } >/dev/null 2>&1 & reader=$!; "
                      "exec 3<&-; wait $salloc; code=$?; kill $reader 2>/dev/null; exit $code";
        return launch_command{"/bin/sh", arguments("-c", script), {}};
    }

    void request(const asio::any_io_executor& executor, const slurm_options& options)
    {
        auto kept_by = pipe_ends::made(), asked_by = pipe_ends::made(), says = pipe_ends::made();
        check_installed("salloc");
        auto command = watched(salloc_command(options));
        spawn_options start;
        start.stdin_ = stdio::from(std::move(kept_by.reading));
        start.descriptors.emplace(3, stdio::from(std::move(asked_by.reading)));
        start.stdout_ = stdio::from(std::move(says.writing));
        start.stderr_ = stdio::same_as_stdout();
        // A Ctrl-C is for this process, which then gives it back.
        start.group = process_group::own();
        // Nobody has to end it: it ends with our end of its stdin.
        start.stop = stop_policy(std::chrono::seconds(10), SIGCONT);
        salloc_ = spawn(executor, command.program, command.args, start);
        keeps_ = std::move(kept_by.writing);
        asks_ = std::move(asked_by.writing);
        says_ = std::move(says.reading);
    }

    bool is_granted(const std::string& said)
    {
        auto found = slurm_allocation::parse(said);
        if (!found)
            return false;
        given_ = std::move(*found);
        quiet_write(asks_.get(), "granted\n");
        asks_.reset();
        return true;
    }

    static void hear(std::string& said, const std::string& more)
    {
        if (more.empty())
            throw std::runtime_error("brood: " + refusal(said));
        said += more;
    }

    static std::string refusal(const std::string& said)
    {
        auto why = slurm_failure(1, said);
        return why.empty() ? "slurm: it gave no allocation: " + said : why;
    }

    slurm_allocation given_;
    child_process salloc_;
    descriptor asks_;  // closed before it was granted it takes the request back
    descriptor says_;  // open as long as it may say something: it would end of a closed one
    descriptor keeps_; // closed first: then salloc ends by itself
};

} // namespace brood::detail
