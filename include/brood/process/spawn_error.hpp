// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace brood
{

/// A program that could not be started: which one, the step that failed, and what the system said.
///
/// "spawn './fib': exec: No such file or directory", "spawn './fib': cwd '/nowhere': No such file
/// or directory". Nothing of the attempt is left.
class spawn_error : public std::system_error
{
public:
    spawn_error(int error_number, std::string program, std::string step,
                std::string_view subject = {})
        : std::system_error(error_number, std::system_category(),
                            "spawn '" + program + "': " + step +
                                (subject.empty() ? "" : " " + std::string(subject))),
          program_(std::move(program)), step_(std::move(step))
    {
    }

    /// The program as it was given.
    const std::string& program() const noexcept { return program_; }

    /// What failed: arguments, stdio, timeout, loop, which watches the child and its pipes (all
    /// before anything is started), fork, session, group, descriptors, limits, cwd, ids, exec.
    const std::string& step() const noexcept { return step_; }

private:
    std::string program_;
    std::string step_;
};

} // namespace brood
