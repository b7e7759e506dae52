// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>
#include <brood/process/detail/activation_sockets.hpp>
#include <brood/process/detail/newcomers.hpp>
#include <brood/process/detail/socket_address.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/process/listen_options.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

// Sockets that listen, made from a listen_request: by a primary for its workers, or by a process
// for itself.

namespace brood::detail
{

/// What to ask for, to listen or to receive datagrams at an endpoint.
template <class Endpoint>
listen_request to_listen_request(const Endpoint& at, const listen_options& options)
{
    auto protocol = at.protocol();
    listen_request result;
    result.family = protocol.family();
    result.type = protocol.type();
    result.protocol = protocol.protocol();
    result.address.assign(reinterpret_cast<const char*>(at.data()), at.size());
    result.backlog = options.backlog;
    result.v6_only = options.v6_only;
    result.reuse_port = options.reuse_port;
    result.mode = options.mode;
    return result;
}

/// Takes what the system handed over (LISTEN_FDS), before there are children.
inline void take_handed_sockets()
{
    activation_sockets::take();
}

/// The addresses of those that nobody has asked for.
inline std::vector<std::string> unclaimed_sockets()
{
    return activation_sockets::ours().unclaimed();
}

/// A listening socket, or one that is bound for datagrams.
class listening_socket
{
public:
    /// One that the system handed over for this address, or else a new one. Throws
    /// std::system_error (EADDRINUSE, EACCES, …) that names the step and the address.
    explicit listening_socket(const listen_request& wanted)
        : address_(wanted.address), open_(activation_sockets::ours().find(wanted.type, address_))
    {
        if (!open_)
            open(wanted);
        address_ = socket_address::of(open_.get());
    }

    listening_socket(listening_socket&& other) noexcept
        : address_(other.address_), open_(std::move(other.open_)),
          file_(std::exchange(other.file_, {})), inode_(other.inode_),
          takes_newcomers_(other.takes_newcomers_)
    {
    }

    ~listening_socket() { close(); }

    listening_socket& operator=(listening_socket&&) = delete;

    const descriptor& socket() const noexcept { return open_; }

    /// No new connection comes to its backlog any more, in every process that shares the socket.
    /// Not to one that the system handed over: that goes on without us.
    void ignore_newcomers() const
    {
        if (takes_newcomers_)
            detail::ignore_newcomers(open_);
    }

    /// The file of a local socket goes with it, unless another server has put its own there.
    void close()
    {
        if (!file_.empty() && inode_of(file_) == inode_)
            ::unlink(file_.c_str());
        file_.clear();
        open_ = {};
    }

    /// Where it listens: with the port that the system chose.
    const socket_address& address() const noexcept { return address_; }

private:
    void open(const listen_request& wanted)
    {
        open_ = descriptor(
            ::socket(wanted.family, wanted.type | SOCK_CLOEXEC | SOCK_NONBLOCK, wanted.protocol));
        must(open_.get(), "socket for");
        set_options(wanted);
        bind();
        if (wanted.mode != 0 && !address_.path().empty())
            must(::chmod(address_.path().c_str(), wanted.mode), "set the mode of");
        if (wanted.type == SOCK_STREAM)
            must(::listen(open_.get(), wanted.backlog), "listen on");
        file_ = address_.path();
        inode_ = inode_of(file_);
        takes_newcomers_ = wanted.type == SOCK_STREAM && wanted.family != AF_UNIX;
    }

    // Device and number; of no file, those of none.
    static std::pair<dev_t, ino_t> inode_of(const std::string& path)
    {
        struct stat file = {};
        if (path.empty() || ::lstat(path.c_str(), &file) == -1)
            return {};
        return {file.st_dev, file.st_ino};
    }

    void must(int result, const char* step) const
    {
        if (result == -1)
            throw_system_error(errno, step, to_string(address_));
    }

    void set_options(const listen_request& wanted)
    {
        int on = 1, v6_only = wanted.v6_only ? 1 : 0;
        if (wanted.type == SOCK_STREAM && wanted.family != AF_UNIX)
            must(::setsockopt(open_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on),
                 "reuse the address");
        if (wanted.reuse_port)
            must(::setsockopt(open_.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on),
                 "reuse the port");
        if (wanted.family == AF_INET6)
            must(::setsockopt(open_.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only),
                 "set IPv6 only for");
    }

    void bind()
    {
        auto bound = ::bind(open_.get(), address_.data(), address_.size());
        if (bound == -1 && errno == EADDRINUSE && nobody_listens())
        {
            ::unlink(address_.path().c_str());
            bound = ::bind(open_.get(), address_.data(), address_.size());
        }
        must(bound, "listen on");
    }

    // The file of a server that was killed. A file that is no socket refuses as well, and a server
    // whose backlog is full would keep a probe that blocks.
    bool nobody_listens() const
    {
        struct stat file = {};
        if (address_.path().empty() || ::lstat(address_.path().c_str(), &file) == -1 ||
            !S_ISSOCK(file.st_mode))
        {
            errno = EADDRINUSE;
            return false;
        }
        descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        auto refused =
            ::connect(probe.get(), address_.data(), address_.size()) == -1 && errno == ECONNREFUSED;
        errno = EADDRINUSE;
        return refused;
    }

    socket_address address_;
    descriptor open_;
    std::string file_;
    std::pair<dev_t, ino_t> inode_;
    bool takes_newcomers_ = false; // by a handshake of TCP, at a port of our own
};

} // namespace brood::detail
