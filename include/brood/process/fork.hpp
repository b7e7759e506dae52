// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/loop.hpp>
#include <brood/process/arguments.hpp>
#include <brood/process/child_process.hpp>
#include <brood/process/detail/inheritance.hpp>
#include <brood/process/detail/standard_streams.hpp>
#include <brood/process/detail/start.hpp>
#include <brood/process/internal/entry.hpp>
#include <brood/process/spawn_options.hpp>
#include <brood/wire/channel.hpp>
#include <brood/wire/internal/link.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include <memory>
#include <string>
#include <system_error>
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

    explicit forked_process(std::shared_ptr<detail::child_process_core> state,
                            brood::channel to) noexcept
        : child_process(std::move(state)), channel(std::move(to))
    {
        this->state()->channel = link();
    }
};

namespace detail
{

inline std::pair<descriptor, descriptor> channel_pair(const std::string& program)
{
    try
    {
        return local_pair();
    }
    catch (const std::system_error& refused)
    {
        throw spawn_error(refused.code().value(), program, "stdio", "channel");
    }
}

inline forked_process fork(asio::any_io_executor executor, const std::string& program,
                           const arguments& args, spawn_options options, const char* entry)
{
    open_standard_streams();
    auto [ours, theirs] = channel_pair(program);
    int number = 3;
    while (options.descriptors.contains(number))
        ++number;
    if (!options.env)
        options.env.emplace();
    options.env->set(channel_variable, std::to_string(number));
    options.env->unset(entry_variable);
    if (entry != nullptr)
        options.env->set(entry_variable, entry);
    options.descriptors.emplace(number, stdio::from(std::move(theirs)));
    auto child = start(executor, program, args, options);
    options.descriptors.clear(); // our copy of the child's end would keep the channel from ending
    auto name = "process " + std::to_string(child->process.pid()) + " (" + program + ")";
    channel to(executor, std::move(ours), std::move(name), options.channel);
    forked_process result(child, std::move(to));
    begin_watch(child, options);
    return result;
}

/// Sends each argument as a message of the type that the entry takes.
template <class Expected, class... Args>
void send_arguments(channel& to, Args&&... args)
{
    auto values = Expected(std::forward<Args>(args)...);
    std::apply([&](auto&... each) { (to.send(each), ...); }, values);
}

/// The program that runs here, also when its file was replaced meanwhile.
inline std::string this_program()
{
    return "/proc/self/exe";
}

} // namespace detail

/// Starts a brood program and opens a channel to it. It is a fresh process, never a copy of this
/// one.
///
/// The program calls brood::run(), and its main coroutine gets the other end as `process`. Throws
/// spawn_error like spawn(), and when it is no brood program, that shows when messages are awaited.
/// Follows https://nodejs.org/api/child_process.html#child_processforkmodulepath-args-options
inline forked_process fork(asio::any_io_executor executor, const std::string& program,
                           const arguments& args = {}, const spawn_options& options = {})
{
    return detail::fork(std::move(executor), program, args, options, nullptr);
}

/// The same on the default executor of this thread.
inline forked_process fork(const std::string& program, const arguments& args = {},
                           const spawn_options& options = {})
{
    return fork(default_executor(), program, args, options);
}

/// Starts this program anew, to run `Entry` in it: a function or captureless lambda
/// `task<>(process&, Args...)`, or task<int> for its exit code. The arguments are sent to it.
///
/// The copy finds the entry by its name, in brood::run() or brood::run_entry(), whichever its
/// main() calls first: do nothing before it that only the parent should do.
template <auto Entry, class... Args>
forked_process fork_with(asio::any_io_executor executor, const spawn_options& options,
                         Args&&... args)
{
    using entry = detail::registered<Entry>;
    using expected = typename entry::signature::arguments;
    static_assert(sizeof...(Args) == std::tuple_size_v<expected>,
                  "brood: fork<entry>(...) takes the arguments of the entry behind its process&");
    auto known = detail::find_entry(entry::listed->name);
    auto child = detail::fork(std::move(executor), detail::this_program(), {}, options, known.name);
    detail::send_arguments<expected>(child, std::forward<Args>(args)...);
    return child;
}

/// The same on the default executor of this thread, with the default options.
template <auto Entry, class... Args>
forked_process fork(Args&&... args)
{
    return fork_with<Entry>(default_executor(), spawn_options{}, std::forward<Args>(args)...);
}

} // namespace brood
