// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <brood/base/internal/temporary.hpp>
#include <brood/process/spawn_options.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace brood
{

/// How a command is run whose output is collected: `exec_options().input("text").timeout(2s)`.
///
/// A class with functions, as a temporary of an aggregate beside a co_await is destroyed twice by
/// g++ 12. There, what such a temporary or a lambda with captures is given to says: name it first.
class exec_options
{
public:
    /// Called with each piece of output as it comes.
    using observer = std::function<void(std::string_view)>;

    /// For max_output().
    static constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

    /// No input, no time limit, 16 MiB of output on each stream.
    exec_options() = default;

    /// The same with everything that can be asked of a start: ids, limits, a group, descriptors.
    ///
    /// Its stdout and stderr are collected, wherever it says they lead; stderr as a part of stdout
    /// when it says same_as_stdout. A timeout in it is the timeout here, and its stop policy is how
    /// the command is ended.
    template <class Start = spawn_options>
    requires std::same_as<std::remove_cvref_t<Start>, spawn_options> exec_options(Start&& start)
        : start_(std::forward<Start>(start))
    {
        detail::check_temporary<Start>();
    }

    /// What the command reads. Without it, stdin leads to the null device, unless the options of
    /// the start say where: a file, an open descriptor. A pipe without input is at its end.
    exec_options& input(std::string text)
    {
        input_ = std::move(text);
        return *this;
    }

    /// After this time the command and all that it started are ended. A time below zero is refused
    /// at the start, in step "timeout".
    exec_options& timeout(std::chrono::milliseconds limit)
    {
        start_.timeout = limit;
        return *this;
    }

    /// The most bytes that it may print on stdout, and on stderr; one more, and the command and all
    /// that it started are ended.
    exec_options& max_output(std::size_t bytes)
    {
        max_output_ = bytes;
        return *this;
    }

    /// The directory it starts in.
    exec_options& cwd(std::string directory)
    {
        start_.cwd = std::move(directory);
        return *this;
    }

    /// Its variables, instead of those of this process.
    exec_options& env(environment variables)
    {
        start_.env = std::move(variables);
        return *this;
    }

    /// How it is ended at a limit, or when nobody waits for it any more. SIGKILL is always the
    /// last step.
    exec_options& stop(stop_policy policy)
    {
        start_.stop = std::move(policy);
        return *this;
    }

    /// What is told of stdout while it is collected. What it throws ends the command and
    /// reaches the caller. It is not called any more once the await has ended, cancelled or not.
    template <class Observer>
    exec_options& on_out(Observer&& call)
    {
        detail::check_temporary<Observer>();
        on_out_ = std::forward<Observer>(call);
        return *this;
    }

    /// The same of stderr.
    template <class Observer>
    exec_options& on_err(Observer&& call)
    {
        detail::check_temporary<Observer>();
        on_err_ = std::forward<Observer>(call);
        return *this;
    }

    const spawn_options& start() const noexcept { return start_; }

    const std::optional<std::string>& input() const noexcept { return input_; }

    std::size_t max_output() const noexcept { return max_output_; }

    const observer& on_out() const noexcept { return on_out_; }

    const observer& on_err() const noexcept { return on_err_; }

private:
    spawn_options start_;
    std::optional<std::string> input_;
    std::size_t max_output_ = std::size_t{16} << 20;
    observer on_out_;
    observer on_err_;
};

} // namespace brood
