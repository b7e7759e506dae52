// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/internal/assign_descriptor.hpp>
#include <brood/base/task.hpp>
#include <brood/process/detail/inheritance.hpp>
#include <brood/process/detail/loop_children.hpp>
#include <brood/process/detail/primary_link.hpp>
#include <brood/process/detail/stop_request.hpp>
#include <brood/process/environment.hpp>
#include <brood/process/listener.hpp>
#include <brood/process/signals.hpp>
#include <brood/process/traffic.hpp>
#include <brood/wire/channel.hpp>
#include <brood/wire/internal/link.hpp>

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
    process(asio::any_io_executor executor, detail::inheritance inherited,
            const channel_limits& limits)
        : channel(open(executor, std::move(inherited.channel), limits)), executor_(executor),
          stop_asked_(std::make_shared<detail::stop_request>(executor))
    {
        if (!link() || inherited.worker.empty())
            return;
        auto who = detail::to_worker_identity(inherited.worker);
        primary_ = std::make_shared<detail::primary_link>(link(), who, stop_asked_);
        primary_->begin();
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
    /// destroyed; children that still run are killed, as when the loop goes.
    task<> exit(int code)
    {
        exit_code_ = code;
        co_await flush_within(std::chrono::seconds(5));
        auto last_code = run_exit_functions();
        // A cancelled coroutine could not await any more.
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await detail::background_stops_ended(executor_);
        detail::loop_children_of(executor_).shutdown(); // as if the loop went
        std::exit(last_code);
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

    /// Whether this process was asked to stop: by its cluster, by the end of the channel to its
    /// parent, or, once shutdown() was called, by SIGTERM. It stays so.
    bool stopping() const noexcept { return stop_asked_->asked() || parent_is_gone(); }

    /// What the servers of this process have done until now, since it began; those of brood count
    /// by themselves, others by traffic_of_this_process(). In a cluster the primary reads the same
    /// from cluster::stats().
    static traffic_stats traffic() noexcept { return traffic_of_this_process().read(); }

    // ---- In a cluster

    /// Whether this process is a worker of a cluster.
    bool is_worker() const noexcept { return primary_ != nullptr; }

    /// Whether it is none: it may have a cluster of its own.
    bool is_primary() const noexcept { return !is_worker(); }

    /// The number of this worker, from 1, which none before or after it has; 0 in no cluster.
    std::uint64_t worker_id() const noexcept { return is_worker() ? primary_->who().id : 0; }

    /// The place of this worker in its cluster, from 0, which its successor takes over.
    std::size_t worker_slot() const noexcept { return is_worker() ? primary_->who().slot : 0; }

    /// Tells the cluster that this worker can be given work. Called by itself when the worker first
    /// listens, or waits for a message or a request. Nothing in no cluster.
    void ready()
    {
        if (primary_)
            primary_->ready();
    }

    /// Whether this worker has told so; true in no cluster. It stays so, also while it stops: one
    /// that should get new work is ready and not stopping().
    bool is_ready() const noexcept { return !primary_ || primary_->is_ready(); }

    /// Tells the cluster that this worker has done enough: another one takes its place, and when
    /// that is ready, this one is asked to stop. Nothing in no cluster.
    void recycle()
    {
        if (primary_)
            primary_->recycle();
    }

    /// Tells the cluster that this worker should not be started again, and why; then end. Nothing
    /// in no cluster.
    void give_up(const std::string& reason)
    {
        if (primary_)
            primary_->give_up(reason);
    }

    /// Takes TCP connections at a port of all addresses of this machine, IPv6 and IPv4; 0 lets the
    /// system choose one.
    ///
    /// In a cluster all workers that ask for the same port share it, port 0 included; the primary
    /// keeps it open while workers come and go. A socket for this address that the system handed
    /// over (LISTEN_FDS, as systemd does) is used. Throws std::system_error (EADDRINUSE, EACCES).
    /// Follows https://nodejs.org/api/net.html#serverlistenport-host-backlog-callback
    task<listener> listen(std::uint16_t port, const listen_options& options = {})
    {
        return listen(any_address(port), options);
    }

    /// The same at one address.
    task<listener> listen(const asio::ip::tcp::endpoint& at, const listen_options& options = {})
    {
        return listen_at<asio::ip::tcp>(executor_, primary_,
                                        detail::to_listen_request(at, options));
    }

    /// The same at a local socket. A file that a killed server left is replaced; the file is
    /// removed when the listener, in a cluster the cluster, goes.
    task<local_listener> listen(const asio::local::stream_protocol::endpoint& at,
                                const listen_options& options = {})
    {
        return listen_at<asio::local::stream_protocol>(executor_, primary_,
                                                       detail::to_listen_request(at, options));
    }

    /// The same at a socket that listens already, which somebody else opened and bound. Throws
    /// std::system_error (EBADF, ENOTSOCK, EINVAL) for what does not listen.
    task<listener> listen(descriptor open)
    {
        auto connections = detail::listen_already(executor_, std::move(open));
        ready();
        return listen_with(std::move(connections));
    }

    /// Receives datagrams at an address. In a cluster the workers share the socket: each datagram
    /// reaches one of them.
    task<asio::ip::udp::socket> bind(const asio::ip::udp::endpoint& at,
                                     const listen_options& options = {})
    {
        return bind_at(executor_, primary_, detail::to_listen_request(at, options));
    }

    /// As in channel; a worker that waits for a message is ready.
    template <class... Messages, class... Limit>
    auto message(Limit... limit)
    {
        ready();
        return channel::message<Messages...>(limit...);
    }

    /// As in channel; a worker that serves calls is ready.
    template <class... Handlers>
    task<> serve(Handlers&&... handlers)
    {
        ready();
        return channel::serve(std::forward<Handlers>(handlers)...);
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

    static asio::ip::tcp::endpoint any_address(std::uint16_t port)
    {
        // A machine without IPv6 has no such sockets.
        descriptor probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
        return {probe ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), port};
    }

    template <class Protocol>
    static task<basic_listener<Protocol>> listen_at(asio::any_io_executor executor,
                                                    std::shared_ptr<detail::primary_link> primary,
                                                    detail::listen_request wanted)
    {
        if (!primary || wanted.reuse_port)
            co_return basic_listener<Protocol>(detail::listen_alone(executor, wanted));
        auto connections = co_await detail::primary_link::listen(primary, wanted);
        co_return basic_listener<Protocol>(std::move(connections));
    }

    static task<listener> listen_with(std::shared_ptr<detail::listener_core> connections)
    {
        co_return listener(std::move(connections));
    }

    static task<asio::ip::udp::socket> bind_at(asio::any_io_executor executor,
                                               std::shared_ptr<detail::primary_link> primary,
                                               detail::listen_request wanted)
    {
        descriptor bound;
        if (primary && !wanted.reuse_port)
            bound = co_await detail::primary_link::bind(primary, wanted);
        else
            bound = detail::listening_socket(wanted).socket().duplicate();
        auto protocol = wanted.family == AF_INET6 ? asio::ip::udp::v6() : asio::ip::udp::v4();
        asio::ip::udp::socket result(executor);
        detail::assign_descriptor(std::move(bound), result, protocol);
        co_return result;
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
    std::shared_ptr<detail::primary_link> primary_; // of a worker
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
