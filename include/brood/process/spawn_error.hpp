// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace brood
{

/// A program that could not be started: which one, with its arguments, the step that failed, what
/// the system said, and what to do about it, where that is known.
///
/// "spawn './fib --fast': cwd '/nowhere': No such file or directory; the folder must be there
/// before the start". Nothing of the attempt is left.
class spawn_error : public std::system_error
{
public:
    /// `subject` is what the step was about, `command` what the text calls the program, when that
    /// is more than its name, and `advice` what to do.
    spawn_error(int error_number, std::string program, std::string step,
                std::string_view subject = {}, std::string_view command = {},
                std::string_view advice = {})
        : std::system_error(error_number, std::system_category()), program_(std::move(program)),
          step_(std::move(step))
    {
        text_ = "spawn '" + (command.empty() ? program_ : std::string(command)) + "': " + step_ +
                (subject.empty() ? "" : " ") + std::string(subject) + ": " + code().message() +
                (advice.empty() ? "" : "; ") + std::string(advice);
    }

    const char* what() const noexcept override { return text_.c_str(); }

    /// The program as it was given.
    const std::string& program() const noexcept { return program_; }

    /// What failed: arguments, stdio, timeout, loop, which watches the child and its pipes (all
    /// before anything is started), fork, session, group, descriptors, limits, cwd, ids, exec.
    const std::string& step() const noexcept { return step_; }

private:
    std::string program_;
    std::string step_;
    std::string text_;
};

} // namespace brood
