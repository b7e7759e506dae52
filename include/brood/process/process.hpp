// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/task.hpp>
#include <brood/process/environment.hpp>
#include <brood/process/internal/asio_names.hpp>
#include <brood/process/listen_options.hpp>
#include <brood/process/shared_socket.hpp>
#include <brood/process/traffic.hpp>
#include <brood/wire/channel.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace brood
{
namespace detail
{

class process_core;

} // namespace detail

class listener;
class local_listener;

/// This process, and its channel to the parent that forked it.
///
/// brood::run() makes it and hands it to the main coroutine. Without such a parent `connected()` is
/// false, and what needs a channel throws errc::no_channel. When the parent goes, message() gives
/// nothing: return then, and the process ends.
/// Follows Node's process: https://nodejs.org/api/process.html
class process : public channel
{
public:
    static pid_t pid() noexcept { return ::getpid(); }

    static pid_t ppid() noexcept { return ::getppid(); }

    /// What this process was started with; the first is its name.
    static std::vector<std::string> argv();

    /// A snapshot of the environment.
    static environment env() { return {}; }

    /// The code that the process ends with when its main coroutine returns none.
    int exit_code() const noexcept;

    void exit_code(int code) noexcept;

    /// Calls a function when the process ends by itself or by exit(): in the order they were added,
    /// each once, with the exit code, which it may still change by exit_code(int). One that is
    /// added meanwhile is called as well. It must not wait for anything.
    void on_exit(std::function<void(int)> call);

    /// Runs a coroutine after the main one has returned, and before the functions of on_exit; one
    /// that is added meanwhile as well, in the order they were added. Not after exit(), nor after
    /// an exception.
    void before_exit(std::function<task<>()> run);

    /// Shows an exception that is about to end this process, without changing that.
    void on_uncaught(std::function<void(std::exception_ptr)> show);

    /// Ends the process: what was sent is handed to the kernel first, for 5 s at most, children
    /// whose handles have gone are given the time of their stop policies, and the functions of
    /// on_exit are called. Coroutines go no further, and their locals are not destroyed; children
    /// that still run are killed, as when the loop goes.
    task<> exit(int code);

    /// Waits for one of these signals and gives its number. Until then it does not do what it would
    /// by default; afterwards it does. To miss none between two waits, use brood::signals.
    template <class... Numbers>
    task<int> signal(Numbers... numbers)
    {
        return await_signal({numbers...});
    }

    /// Waits until this process is asked to stop: by SIGTERM, or by the end of the channel to its
    /// parent. From the first call on, SIGTERM does not end it by itself. Any number may wait,
    /// before and after. A second SIGTERM hastens the clusters and supervisors of this process that
    /// are being stopped, or are from then on: what they keep has one more second until SIGKILL.
    task<> shutdown();

    /// Whether this process was asked to stop: by its cluster, by the end of the channel to its
    /// parent, or, once shutdown() was called, by SIGTERM. It stays so.
    bool stopping() const noexcept;

    /// What the servers of this process have done until now, since it began; those of brood count
    /// by themselves, others by traffic_of_this_process(). In a cluster the primary reads the same
    /// from cluster::stats().
    static traffic_stats traffic() noexcept { return traffic_of_this_process().read(); }

    // ---- In a cluster

    /// Whether this process is a worker of a cluster.
    bool is_worker() const noexcept;

    /// Whether it is none: it may have a cluster of its own.
    bool is_primary() const noexcept { return !is_worker(); }

    /// The number of this worker, from 1, which none before or after it has; 0 in no cluster.
    std::uint64_t worker_id() const noexcept;

    /// The place of this worker in its cluster, from 0, which its successor takes over.
    std::size_t worker_slot() const noexcept;

    /// Tells the cluster that this worker can be given work. Called by itself when the worker first
    /// listens, binds, or waits for a message or a request. Nothing in no cluster.
    void ready();

    /// Whether this worker has told so; true in no cluster. It stays so, also while it stops: one
    /// that should get new work is ready and not stopping().
    bool is_ready() const noexcept;

    /// Tells the cluster that this worker has done enough: another one takes its place, and when
    /// that is ready, this one is asked to stop. Nothing in no cluster.
    void recycle();

    /// Tells the cluster that this worker should not be started again, and why; then end. Nothing
    /// in no cluster.
    void give_up(const std::string& reason);

    /// Takes TCP connections at a port of all addresses of this machine, IPv6 and IPv4; 0 lets the
    /// system choose one.
    ///
    /// In a cluster all workers that ask for the same port share it, port 0 included; the primary
    /// keeps it open while workers come and go. A socket for this address that the system handed
    /// over (LISTEN_FDS, as systemd does) is used. Throws std::system_error (EADDRINUSE, EACCES).
    /// The listener is declared in <brood/process/listener.hpp>.
    /// Follows https://nodejs.org/api/net.html#serverlistenport-host-backlog-callback
    task<listener> listen(std::uint16_t port, const listen_options& options = {});

    /// The same at one address, an asio::ip::tcp::endpoint.
    task<listener> listen(const detail::tcp_endpoint& at, const listen_options& options = {});

    /// The same at a local socket, an asio::local::stream_protocol::endpoint. A file that a killed
    /// server left is replaced; the file is removed when the listener, in a cluster the cluster,
    /// goes.
    task<local_listener> listen(const detail::local_endpoint& at,
                                const listen_options& options = {});

    /// The same at a socket that listens already, which somebody else opened and bound. Throws
    /// std::system_error (EBADF, ENOTSOCK, EINVAL) for what does not listen.
    task<listener> listen(descriptor open);

    /// Receives datagrams at an asio::ip::udp::endpoint, and gives an asio::ip::udp::socket, which
    /// takes none any more once this worker is asked to stop: see shared_socket. In a cluster the
    /// workers share it: each datagram reaches one of them. Throws std::system_error (EADDRINUSE,
    /// EACCES).
    task<shared_socket<detail::udp_socket>> bind(const detail::udp_endpoint& at,
                                                 const listen_options& options = {});

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

private:
    friend class detail::process_core;

    process(channel to_parent, std::shared_ptr<detail::process_core> core) noexcept;

    task<int> await_signal(std::vector<int> numbers);

    std::shared_ptr<detail::process_core> core_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/process.ipp>
#endif
