// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/spawn_options.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace brood
{

/// How a command is run whose output is collected: `exec_options().input("text").timeout(2s)`.
///
/// A class with functions, as a temporary of an aggregate beside a co_await is destroyed twice by
/// g++ 12.
class exec_options
{
public:
    /// Called with each piece of output as it comes.
    using listener = std::function<void(std::string_view)>;

    /// No input, no time limit, 16 MiB of output on each stream.
    exec_options() = default;

    /// The same with everything that can be asked of a start: directory, environment, ids, limits.
    /// Its stdout and stderr are collected, wherever it says they lead. A timeout in it is the
    /// timeout here, and its stop policy is how the command is ended.
    exec_options(spawn_options start) : start_(std::move(start)) {}

    /// What the command reads. Without it, stdin leads to the null device, unless the options of
    /// the start say where.
    exec_options& input(std::string text) &
    {
        input_ = std::move(text);
        return *this;
    }

    /// After this time the command and all that it started are ended.
    exec_options& timeout(std::chrono::milliseconds limit) &
    {
        start_.timeout = limit;
        return *this;
    }

    /// The most bytes that it may print on stdout, and on stderr; one more, and the command and all
    /// that it started are ended.
    exec_options& max_output(std::size_t bytes) &
    {
        max_output_ = bytes;
        return *this;
    }

    /// What is told to listen to stdout while it is collected.
    exec_options& on_out(listener call) &
    {
        on_out_ = std::move(call);
        return *this;
    }

    exec_options& on_err(listener call) &
    {
        on_err_ = std::move(call);
        return *this;
    }

    exec_options&& input(std::string text) && { return std::move(input(std::move(text))); }

    exec_options&& timeout(std::chrono::milliseconds limit) && { return std::move(timeout(limit)); }

    exec_options&& max_output(std::size_t bytes) && { return std::move(max_output(bytes)); }

    exec_options&& on_out(listener call) && { return std::move(on_out(std::move(call))); }

    exec_options&& on_err(listener call) && { return std::move(on_err(std::move(call))); }

    const spawn_options& start() const noexcept { return start_; }

    const std::optional<std::string>& input() const noexcept { return input_; }

    std::size_t max_output() const noexcept { return max_output_; }

    const listener& on_out() const noexcept { return on_out_; }

    const listener& on_err() const noexcept { return on_err_; }

private:
    spawn_options start_;
    std::optional<std::string> input_;
    std::size_t max_output_ = std::size_t{16} << 20;
    listener on_out_;
    listener on_err_;
};

} // namespace brood
