// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/loop.hpp>
#include <brood/process/arguments.hpp>
#include <brood/process/child_process.hpp>
#include <brood/process/internal/entry.hpp>
#include <brood/process/spawn_error.hpp>
#include <brood/process/spawn_options.hpp>
#include <brood/wire/channel.hpp>

#include <string>
#include <tuple>
#include <utility>

namespace brood
{

/// A child with a channel: everything a child_process can, and messages both ways.
///
/// When it ends, everything it managed to send can be taken first; then disconnected(), exit() and
/// closed() complete, in this order. Destroying it closes the channel and drops the child.
class forked_process : public child_process, public channel
{
public:
    /// No process.
    forked_process() noexcept = default;

private:
    friend class detail::child_process_core;

    forked_process(child_process child, channel to) noexcept
        : child_process(std::move(child)), channel(std::move(to))
    {
    }
};

namespace detail
{

/// Starts this program anew with one of its entries, which may take arguments.
forked_process fork_entry(asio::any_io_executor executor, const spawn_options& options,
                          const entry& start);

/// Sends each argument as a message of the type that the entry takes.
template <class Expected, class... Args>
void send_arguments(channel& to, Args&&... args)
{
    auto values = Expected(std::forward<Args>(args)...);
    std::apply([&](auto&... each) { (to.send(each), ...); }, values);
}

} // namespace detail

/// Starts a brood program and opens a channel to it. It is a fresh process, never a copy of this
/// one.
///
/// The program calls brood::run(), and its main coroutine gets the other end as `process`. Throws
/// spawn_error like spawn(), and when it is no brood program, that shows when messages are awaited.
/// Follows https://nodejs.org/api/child_process.html#child_processforkmodulepath-args-options
forked_process fork(asio::any_io_executor executor, const std::string& program,
                    const arguments& args = {}, const spawn_options& options = {});

/// The same on the default executor of this thread.
forked_process fork(const std::string& program, const arguments& args = {},
                    const spawn_options& options = {});

/// Starts this program anew, to run `Entry` in it: a function or captureless lambda
/// `task<>(process&, Args...)`, or task<int> for its exit code. The arguments are sent to it.
///
/// The copy finds the entry by its name, in brood::run() or brood::run_entry(), whichever its
/// main() calls first: do nothing before it that only the parent should do. Throws
/// std::logic_error in a copy that has not called it. Like every program that is forked it ignores
/// SIGPIPE: it works on although nobody reads what it prints.
template <auto Entry, class... Args>
forked_process fork_with(asio::any_io_executor executor, const spawn_options& options,
                         Args&&... args)
{
    using entry = detail::registered<Entry>;
    using expected = typename detail::arguments_of<Entry, Args...>::type;
    auto child = detail::fork_entry(std::move(executor), options, *entry::listed);
    detail::send_arguments<expected>(child, std::forward<Args>(args)...);
    return child;
}

/// The same on the default executor of this thread: `fork_with<serve>(options, 8080)`.
template <auto Entry, class... Args>
forked_process fork_with(const spawn_options& options, Args&&... args)
{
    return fork_with<Entry>(default_executor(), options, std::forward<Args>(args)...);
}

/// The same with the default options.
template <auto Entry, class... Args>
forked_process fork(Args&&... args)
{
    return fork_with<Entry>(default_executor(), spawn_options{}, std::forward<Args>(args)...);
}

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/fork.ipp>
#endif
