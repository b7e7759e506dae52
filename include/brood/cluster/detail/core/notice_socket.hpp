// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/task.hpp>
#include <brood/cluster/detail/core/process_activity.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace brood::detail
{

/// Whether a message of sd_notify(3), lines `NAME=value`, says that its sender is ready.
inline bool says_ready(std::string_view lines)
{
    while (!lines.empty())
    {
        auto line = lines.substr(0, lines.find('\n'));
        if (line == "READY=1")
            return true;
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    }
    return false;
}

/// Whether a process is another one, or below it.
inline bool is_below(pid_t pid, pid_t above)
{
    for (; pid > 1 && pid != above; pid = process_condition::of(pid).parent)
        continue;
    return pid == above;
}

/// Where a worker says that it is ready, as services say it to systemd: its NOTIFY_SOCKET. Follows
/// https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
class notice_socket
{
public:
    /// Throws std::system_error.
    explicit notice_socket(const asio::any_io_executor& executor) : socket_(executor)
    {
        std::uint64_t chance = 0;
        [[maybe_unused]] auto denied = ::getentropy(&chance, sizeof chance);
        name_ = "brood-" + std::to_string(::getpid()) + '-' + std::to_string(chance);
        descriptor open(check(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                              "open a socket for notices"));
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
#ifdef __linux__
        // No file, which would stay when we are killed, and none that another user may not reach:
        // who has sent it is looked at.
        name_.insert(name_.begin(), '@');
        std::memcpy(at.sun_path + 1, name_.data() + 1, name_.size() - 1);
        int on = 1;
        check(::setsockopt(open.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on), "ask who sends to",
              name_);
#else
        name_ = "/tmp/" + name_;
        std::memcpy(at.sun_path, name_.data(), name_.size());
#endif
        auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
        check(::bind(open.get(), reinterpret_cast<sockaddr*>(&at), size), "bind", name_);
        socket_.assign(open.release());
    }

    notice_socket(const notice_socket&) = delete;
    notice_socket& operator=(const notice_socket&) = delete;

    ~notice_socket()
    {
        close();
    }

    /// What NOTIFY_SOCKET is.
    const std::string& name() const noexcept
    {
        return name_;
    }

    void close()
    {
        std::error_code ignored;
        socket_.close(ignored);
        if (name_.front() == '/')
            ::unlink(name_.c_str());
    }

    /// Waits until a process, or one below it, says that it is ready: true; false when this was
    /// closed. Everything else that it hears is read and left at that, so that nobody's send waits.
    static task<bool> next_ready(std::shared_ptr<notice_socket> self, pid_t of)
    {
        while (self->socket_.is_open())
        {
            auto readable =
                self->socket_.async_wait(asio::posix::stream_descriptor::wait_read, use_tuple);
            co_await std::move(readable);
            while (self->socket_.is_open() && self->receive(of))
                if (self->is_ready_)
                    co_return true;
        }
        co_return false;
    }

private:
    // Takes what was sent, and says whether there was anything.
    bool receive(pid_t of)
    {
        std::array<char, 4'096> bytes;
        iovec into{bytes.data(), bytes.size()};
        msghdr message{};
        message.msg_iov = &into;
        message.msg_iovlen = 1;
#ifdef __linux__
        // No room for descriptors: those that come are closed.
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> beside{};
        message.msg_control = beside.data();
        message.msg_controllen = beside.size();
#endif
        auto count = retry([&] { return ::recvmsg(socket_.native_handle(), &message, 0); });
        if (count == -1)
            return false;
        auto text = std::string_view(bytes.data(), static_cast<std::size_t>(count));
        is_ready_ = says_ready(text) && is_from(message, of);
        return true;
    }

#ifdef __linux__
    // What has ended since, a shell's `systemd-notify --ready` say, cannot be found any more: it is
    // believed when it was of our user.
    static bool is_from(msghdr& message, pid_t of)
    {
        auto head = CMSG_FIRSTHDR(&message);
        if (head == nullptr || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_CREDENTIALS)
            return false;
        ucred sender{};
        std::memcpy(&sender, CMSG_DATA(head), sizeof sender);
        auto is_gone = process_condition::of(sender.pid).parent == 0;
        return is_below(sender.pid, of) || (is_gone && sender.uid == ::geteuid());
    }
#else
    static bool is_from(msghdr&, pid_t)
    {
        return true;
    }
#endif

    asio::posix::stream_descriptor socket_;
    std::string name_;
    bool is_ready_ = false; // says the last that was received
};

} // namespace brood::detail
