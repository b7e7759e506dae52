// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>
#include <brood/base/loop.hpp>
#include <brood/process/environment.hpp>
#include <brood/process/spawn.hpp>
#include <brood/remote/detail/pipe.hpp>
#include <brood/remote/slurm_allocation.hpp>
#include <brood/remote/slurm_command.hpp>

#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace brood::detail
{

/// The allocation that this process runs in, or one of its own: given back when this goes.
class held_allocation
{
public:
    explicit held_allocation(const slurm_options& options)
    {
        if (auto around = slurm_allocation::from(environment()))
            given_ = std::move(*around);
        else
            ask(options);
    }

    const slurm_allocation& given() const noexcept { return given_; }

private:
    static std::string read_some(const descriptor& from)
    {
        std::array<char, 4096> bytes{};
        auto count = retry([&] { return ::read(from.get(), bytes.data(), bytes.size()); });
        return std::string(bytes.data(), static_cast<std::size_t>(check(count, "read salloc")));
    }

    // It blocks, as its caller needs to know how many workers there will be.
    void ask(const slurm_options& options)
    {
        pipe_of_ours kept_by, says;
        auto command = salloc_command(options);
        spawn_options start;
        start.stdin_ = stdio::from(std::move(kept_by.reading));
        start.stdout_ = stdio::from(std::move(says.writing));
        start.stderr_ = stdio::same_as_stdout();
        // A Ctrl-C is for this process, which then gives it back.
        start.group = process_group::own();
        // Nobody has to end it: it ends with our end of its stdin.
        start.stop = stop_policy(std::chrono::seconds(10), SIGCONT);
        salloc_ = spawn(default_executor(), command.program, command.args, start);
        start = {};
        keeps_ = std::move(kept_by.writing);
        says_ = std::move(says.reading);
        std::string said;
        std::optional<slurm_allocation> found;
        while (!found)
        {
            auto more = read_some(says_);
            if (more.empty())
                throw std::runtime_error("brood: " + refusal(said));
            said += more;
            found = slurm_allocation::parse(said);
        }
        given_ = std::move(*found);
    }

    static std::string refusal(const std::string& said)
    {
        auto why = slurm_failure(1, said);
        return why.empty() ? "slurm: it gave no allocation: " + said : why;
    }

    slurm_allocation given_;
    child_process salloc_;
    descriptor says_;  // open as long as it may say something: it would end of a closed one
    descriptor keeps_; // closed first: then salloc ends by itself
};

} // namespace brood::detail
