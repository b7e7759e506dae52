// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>
#include <brood/process/internal/arrival.hpp>
#include <brood/remote/detail/bootstrap.hpp>
#include <brood/remote/detail/build_id.hpp>
#include <brood/remote/detail/far_address.hpp>
#include <brood/remote/detail/handshake.hpp>
#include <brood/remote/detail/input_lines.hpp>
#include <brood/remote/detail/launcher_watch.hpp>
#include <brood/remote/detail/tls.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The way of a worker elsewhere to its primary. It blocks: nothing else runs yet.
class journey
{
public:
    using clock = std::chrono::steady_clock;

    /// Goes there. Throws brood::error or std::system_error with why it could not.
    void go()
    {
        auto told = read_line();
        // Nobody whom this process starts may hold its stdin, and what is read there is no input.
        descriptor control(check(::fcntl(0, F_DUPFD_CLOEXEC, 3), "keep stdin"));
        descriptor nothing(check(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null"));
        check(::dup2(nothing.get(), 0), "close stdin");
        until_ = clock::now() + told.within;
        auto socket = connect(told);
        if (told.certificate)
            encrypt(socket, *told.certificate);
        auto welcome = introduce(socket, told.shared);
        check(::fcntl(socket.get(), F_SETFL, O_NONBLOCK), "make a socket that does not block");
        for (std::size_t index = 3; index < welcome.size(); ++index)
            set_variable(welcome[index]);
        leave_inheritance(std::move(socket), tls_, welcome[0], welcome[1], welcome[2]);
        watch_launcher(std::move(control), told.grace);
    }

protected:
    static bootstrap read_line()
    {
        constexpr std::chrono::seconds longest(60);
        input_lines lines(0);
        auto until = clock::now() + longest;
        while (auto line = lines.next(until))
            if (auto told = read_bootstrap(*line))
                return std::move(*told);
        throw error(errc::malformed, "its stdin does not say where its primary is");
    }

    static void set_variable(const std::string& line)
    {
        auto equals = line.find('=');
        if (equals != line.npos && equals != 0)
            ::setenv(line.substr(0, equals).c_str(), line.c_str() + equals + 1, 1);
    }

    // ---- To the primary

    descriptor connect(const bootstrap& told) const
    {
        std::string why;
        for (auto& each : told.endpoints)
        {
            auto socket = connect_to(each, why);
            if (socket)
                return socket;
        }
        throw error(errc::closed, "it cannot reach its primary: " + why);
    }

    descriptor connect_to(const std::string& endpoint, std::string& why) const
    {
        auto failed = [&](int reason)
        {
            why += (why.empty() ? "" : "; ") + endpoint + ": " +
                   (reason == 0 ? "no answer in time" : std::system_category().message(reason));
            return descriptor();
        };
        auto address = read_address(endpoint);
        if (!address)
            return failed(EINVAL);
        descriptor socket(
            ::socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!socket)
            return failed(errno);
        keep_watch(socket.get());
        auto came = ::connect(socket.get(), address->get(), address->size) == 0;
        if (came && address->family() == AF_UNIX) // a tunnel that was made for this start alone
            ::unlink(reinterpret_cast<const sockaddr_un*>(address->get())->sun_path);
        if (came)
            return socket;
        if (errno != EINPROGRESS && errno != EINTR)
            return failed(errno);
        if (!wait(socket, POLLOUT))
            return failed(0);
        int reason = 0;
        socklen_t size = sizeof reason;
        ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &reason, &size);
        return reason == 0 ? std::move(socket) : failed(reason);
    }

    void encrypt(const descriptor& socket, const secret& certificate)
    {
        tls_ = tls::of_worker(certificate);
        for (;;)
        {
            auto now = tls_->shake(socket.get());
            if (now == tls::handshake::done)
                return;
            if (now == tls::handshake::failed)
                throw error(errc::malformed, "who answers where its primary should be does not "
                                             "prove by TLS 1.3 that it is: " +
                                                 tls_->why());
            if (!wait(socket, now == tls::handshake::reads ? POLLIN : POLLOUT))
                throw_gone();
        }
    }

    // ---- Who both are

    std::vector<std::string> introduce(const descriptor& socket, const secret& shared) const
    {
        knock first{name_of_secret(shared), random_secret()};
        send(socket, to_bytes(first));
        nonces both{first.nonce, {}};
        proof theirs{};
        receive(socket, both.of_primary);
        receive(socket, theirs);
        if (!is_same(theirs, both.of_the_primary(shared)))
            throw error(errc::malformed, "who answers where its primary should be does not know "
                                         "the secret of its start");
        auto what = to_block({host_name(), std::to_string(::getpid()), build_id()});
        std::array<std::byte, 4> size{};
        store_little(size.data(), static_cast<std::uint32_t>(what.size()));
        send(socket, size);
        send(socket, bytes_of(what));
        send(socket, both.of_the_worker(shared, bytes_of(what)));
        return read_welcome(socket);
    }

    std::vector<std::string> read_welcome(const descriptor& socket) const
    {
        std::array<std::byte, 5> head{};
        receive(socket, head);
        std::uint32_t length = 0;
        load_little(head.data() + 1, length);
        if (length > longest_welcome)
            throw error(errc::malformed, "its primary says more than any does");
        std::string block(length, '\0');
        receive(socket, std::as_writable_bytes(std::span(block.data(), block.size())));
        auto texts = read_block(block);
        auto is_welcome = head[0] == std::byte{1};
        if (!texts || texts->size() < (is_welcome ? 3 : 1))
            throw error(errc::malformed, "what its primary says is cut off");
        if (head[0] == static_cast<std::byte>(answer_kind::come_again))
            throw error(errc::overflow, texts->front());
        if (!is_welcome)
            throw error(errc::version_mismatch, "its primary refuses it: " + texts->front());
        return std::move(*texts);
    }

    static std::string host_name()
    {
        std::array<char, 256> name{};
        return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
    }

    // ---- Bytes, in time

    bool wait(const descriptor& socket, short what) const
    {
        using std::chrono::milliseconds;
        auto left = std::chrono::duration_cast<milliseconds>(until_ - clock::now()).count();
        pollfd state{socket.get(), what, 0};
        return left > 0 && retry([&] { return ::poll(&state, 1, static_cast<int>(left)); }) == 1;
    }

    void send(const descriptor& socket, std::span<const std::byte> bytes) const
    {
        while (!bytes.empty() || (tls_ && tls_->holds()))
        {
            auto count = send_some(socket.get(), bytes);
            if (count >= 0)
                bytes = bytes.subspan(static_cast<std::size_t>(count));
            else if ((errno != EAGAIN && errno != EWOULDBLOCK) || !wait(socket, POLLOUT))
                throw_gone();
        }
    }

    void receive(const descriptor& socket, std::span<std::byte> room) const
    {
        while (!room.empty())
        {
            auto count = receive_some(socket.get(), room);
            if (count > 0)
                room = room.subspan(static_cast<std::size_t>(count));
            else if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK) ||
                     !wait(socket, POLLIN))
                throw_gone();
        }
    }

    ssize_t send_some(int to, std::span<const std::byte> bytes) const
    {
        if (tls_)
            return bytes.empty() ? (tls_->flush(to) ? 0 : -1) : tls_->send(to, bytes);
        return retry([&] { return ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    }

    ssize_t receive_some(int from, std::span<std::byte> room) const
    {
        if (tls_)
            return tls_->receive(from, room);
        return retry([&] { return ::recv(from, room.data(), room.size(), 0); });
    }

    [[noreturn]] static void throw_gone()
    {
        throw error(errc::closed, "who answers where its primary should be does not want it: its "
                                  "start was given up, or has been used already");
    }

    clock::time_point until_;
    std::shared_ptr<tls> tls_; // null for bytes in the clear
};

} // namespace brood::detail
