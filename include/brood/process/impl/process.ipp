// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio_net.hpp>
#include <brood/base/internal/assign_descriptor.hpp>
#include <brood/process/detail/process_core.hpp>
#include <brood/process/listener.hpp>
#include <brood/process/process.hpp>
#include <brood/process/signals.hpp>

#include <cstdio>
#include <sys/socket.h>

namespace brood
{
namespace detail
{

BROOD_INLINE asio::ip::tcp::endpoint any_address(std::uint16_t port)
{
    // A machine without IPv6 has no such sockets.
    descriptor probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return {probe ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), port};
}

template <class Listener>
task<Listener> listener_of(task<std::shared_ptr<listener_core>> opening)
{
    auto core = co_await std::move(opening);
    co_return listener_core::handle<Listener>(std::move(core));
}

BROOD_INLINE task<listener> listener_of(std::shared_ptr<listener_core> core)
{
    co_return listener_core::handle<listener>(std::move(core));
}

BROOD_INLINE task<shared_socket<udp_socket>> bound_socket(std::shared_ptr<process_core> self,
                                                          listen_request wanted)
{
    auto bound = co_await process_core::bind(self, wanted);
    auto protocol = wanted.family == AF_INET6 ? asio::ip::udp::v6() : asio::ip::udp::v4();
    udp_socket open(self->executor());
    assign_descriptor(std::move(bound), open, protocol);
    auto until = self->primary() ? self->primary()->receive() : nullptr;
    shared_socket<udp_socket> result(std::move(open), std::move(until));
    co_return result;
}

BROOD_INLINE task<int> next_of(signals listening)
{
    auto number = co_await listening.next();
    co_return number;
}

} // namespace detail

BROOD_INLINE process::process(channel to_parent,
                              std::shared_ptr<detail::process_core> core) noexcept
    : channel(std::move(to_parent)), core_(std::move(core))
{
}

BROOD_INLINE std::vector<std::string> process::argv()
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

BROOD_INLINE int process::exit_code() const noexcept
{
    return core_->exit_code;
}

BROOD_INLINE void process::exit_code(int code) noexcept
{
    core_->exit_code = code;
}

BROOD_INLINE void process::on_exit(std::function<void(int)> call)
{
    core_->on_exit.push_back(std::move(call));
}

BROOD_INLINE void process::before_exit(std::function<task<>()> run)
{
    core_->before_exit.push_back(std::move(run));
}

BROOD_INLINE void process::on_uncaught(std::function<void(std::exception_ptr)> show)
{
    core_->on_uncaught = std::move(show);
}

BROOD_INLINE task<> process::exit(int code)
{
    return detail::process_core::exit(core_, code);
}

BROOD_INLINE task<int> process::await_signal(std::vector<int> numbers)
{
    return detail::next_of(signals(core_->executor(), numbers));
}

BROOD_INLINE task<> process::shutdown()
{
    core_->stop_asked->listen(core_->link());
    return detail::stop_request::await(core_->stop_asked);
}

BROOD_INLINE bool process::stopping() const noexcept
{
    return core_->stop_asked->asked() || core_->parent_is_gone();
}

BROOD_INLINE bool process::is_worker() const noexcept
{
    return core_->primary() != nullptr;
}

BROOD_INLINE std::uint64_t process::worker_id() const noexcept
{
    return is_worker() ? core_->primary()->who().id : 0;
}

BROOD_INLINE std::size_t process::worker_slot() const noexcept
{
    return is_worker() ? core_->primary()->who().slot : 0;
}

BROOD_INLINE void process::ready()
{
    if (is_worker())
        core_->primary()->ready();
}

BROOD_INLINE bool process::is_ready() const noexcept
{
    return !is_worker() || core_->primary()->is_ready();
}

BROOD_INLINE void process::recycle()
{
    if (is_worker())
        core_->primary()->recycle();
}

BROOD_INLINE void process::give_up(const std::string& reason)
{
    if (is_worker())
        core_->primary()->give_up(reason);
}

BROOD_INLINE task<listener> process::listen(std::uint16_t port, const listen_options& options)
{
    return listen(detail::any_address(port), options);
}

BROOD_INLINE task<listener> process::listen(const detail::tcp_endpoint& at,
                                            const listen_options& options)
{
    auto wanted = detail::to_listen_request(at, options);
    return detail::listener_of<listener>(detail::process_core::listen(core_, wanted));
}

BROOD_INLINE task<local_listener> process::listen(const detail::local_endpoint& at,
                                                  const listen_options& options)
{
    auto wanted = detail::to_listen_request(at, options);
    return detail::listener_of<local_listener>(detail::process_core::listen(core_, wanted));
}

BROOD_INLINE task<listener> process::listen(descriptor open)
{
    auto connections = detail::listener_core::listen_with(core_->executor(), std::move(open));
    core_->attend(connections);
    return detail::listener_of(std::move(connections));
}

BROOD_INLINE task<shared_socket<detail::udp_socket>> process::bind(const detail::udp_endpoint& at,
                                                                   const listen_options& options)
{
    return detail::bound_socket(core_, detail::to_listen_request(at, options));
}

} // namespace brood
