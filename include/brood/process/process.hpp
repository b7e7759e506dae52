// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/process/detail/stop_request.hpp>
#include <brood/process/environment.hpp>
#include <brood/process/signals.hpp>
#include <brood/wire/channel.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace brood
{

/// This process, and its channel to the parent that forked it.
///
/// brood::run() makes it and hands it to the main coroutine. Without such a parent `connected()` is
/// false, and what needs a channel throws errc::no_channel. When the parent goes, message() gives
/// nothing: return then, and the process ends.
/// Follows Node's process: https://nodejs.org/api/process.html
class process : public channel
{
public:
    /// For brood::run(): a process whose channel, if it has one, leads to its parent.
    process(asio::any_io_executor executor, descriptor to_parent, const channel_limits& limits)
        : channel(open(executor, std::move(to_parent), limits)), executor_(executor),
          stop_asked_(std::make_shared<detail::stop_request>(executor))
    {
    }

    static pid_t pid() noexcept { return ::getpid(); }

    static pid_t ppid() noexcept { return ::getppid(); }

    /// What this process was started with; the first is its name.
    static std::vector<std::string> argv();

    /// A snapshot of the environment.
    static environment env() { return {}; }

    /// The code that the process ends with when its main coroutine returns none.
    int exit_code() const noexcept { return exit_code_; }

    void exit_code(int code) noexcept { exit_code_ = code; }

    /// Calls a function when the process ends by itself or by exit(): in the order they were added,
    /// each once, with the exit code, which it may still change by exit_code(int). It must not wait
    /// for anything.
    void on_exit(std::function<void(int)> call) { on_exit_.push_back(std::move(call)); }

    /// Runs a coroutine after the main one has returned, and before the functions of on_exit. Not
    /// after exit(), nor after an exception.
    void before_exit(std::function<task<>()> run) { before_exit_.push_back(std::move(run)); }

    /// Shows an exception that is about to end this process, without changing that.
    void on_uncaught(std::function<void(std::exception_ptr)> show)
    {
        on_uncaught_ = std::move(show);
    }

    /// Ends the process: what was sent is handed to the kernel first, for 5 s at most, and the
    /// functions of on_exit are called. Coroutines go no further, and their locals are not
    /// destroyed.
    task<> exit(int code)
    {
        exit_code_ = code;
        co_await flush_within(std::chrono::seconds(5));
        std::exit(run_exit_functions());
    }

    /// Waits for one of these signals and gives its number. Until then it does not do what it would
    /// by default; afterwards it does. To miss none between two waits, use brood::signals.
    template <class... Numbers>
    task<int> signal(Numbers... numbers)
    {
        return await_signal(signals(executor_, numbers...));
    }

    /// Waits until this process is asked to stop: by SIGTERM, or by the end of the channel to its
    /// parent. From the first call on, SIGTERM does not end it by itself. Any number may wait,
    /// before and after.
    task<> shutdown()
    {
        stop_asked_->listen(link());
        return detail::stop_request::await(stop_asked_);
    }

    // ---- For brood::run()

    /// Runs what before_exit() was given.
    task<> run_before_exit()
    {
        for (std::size_t index = 0; index < before_exit_.size(); ++index)
            co_await before_exit_[index]();
    }

    /// Calls the functions of on_exit, each once, and gives the exit code.
    int run_exit_functions()
    {
        for (auto& call : std::exchange(on_exit_, {}))
            call(exit_code_);
        return exit_code_;
    }

    void show_uncaught(std::exception_ptr thrown)
    {
        if (on_uncaught_)
            on_uncaught_(std::move(thrown));
    }

    /// Whether there was a parent at the other end of a channel, and is no more.
    bool parent_is_gone() const noexcept { return link() && link()->ended(); }

    /// Lets the parent read the end.
    void disconnect_if_any()
    {
        if (link())
            disconnect();
    }

    /// Waits until the kernel has what was sent, or cannot have it, or the time is over.
    task<> flush_within(std::chrono::steady_clock::duration limit)
    {
        if (!link())
            co_return;
        auto executor = executor_;
        asio::steady_timer give_up(executor, limit);
        give_up.async_wait(
            [to = link()](std::error_code cancelled)
            {
                if (!cancelled)
                    to->sending().give_up(nullptr);
            });
        try
        {
            co_await flush();
        }
        catch (const std::exception&)
        {
            // The parent has gone, or does not read: there is nobody to tell.
        }
    }

private:
    static channel open(const asio::any_io_executor& executor, descriptor to_parent,
                        const channel_limits& limits)
    {
        if (!to_parent)
            return {};
        return {executor, std::move(to_parent), "parent process " + std::to_string(::getppid()),
                limits};
    }

    static task<int> await_signal(signals listening)
    {
        auto number = co_await listening.next();
        co_return number;
    }

    asio::any_io_executor executor_;
    int exit_code_ = 0;
    std::vector<std::function<void(int)>> on_exit_;
    std::vector<std::function<task<>()>> before_exit_;
    std::function<void(std::exception_ptr)> on_uncaught_;
    std::shared_ptr<detail::stop_request> stop_asked_;
};

inline std::vector<std::string> process::argv()
{
    std::vector<std::string> result;
    // The C library hands argv to main() alone; the kernel tells everybody: proc_pid_cmdline(5).
    auto file = std::fopen("/proc/self/cmdline", "re");
    if (file == nullptr)
        return result;
    std::string word;
    for (int letter = std::fgetc(file); letter != EOF; letter = std::fgetc(file))
    {
        if (letter != 0)
            word.push_back(static_cast<char>(letter));
        else
            result.push_back(std::exchange(word, {}));
    }
    std::fclose(file);
    return result;
}

} // namespace brood
