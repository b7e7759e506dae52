// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/buffer.hpp>
#include <brood/base/detail/asio_net.hpp>
#include <brood/base/error.hpp>
#include <brood/base/task.hpp>
#include <brood/http/detail/quiet_sendfile.hpp>

#include <asio/generic/stream_protocol.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <sys/socket.h>
#include <sys/uio.h>
#include <tuple>
#include <utility>

namespace brood::http::detail
{

using socket_type = asio::generic::stream_protocol::socket;

// Linux tells the end behind what is unread; elsewhere it is seen when that has been read.
#ifdef POLLRDHUP
inline constexpr short peer_has_closed = POLLRDHUP;
#else
inline constexpr short peer_has_closed = 0;
#endif

/// Small pieces are not held back for others to come.
inline void send_at_once(socket_type& socket)
{
    int on = 1; // on a local socket, this fails and is not needed
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// A connection as bytes: TCP or a local socket, what has been read of it and not yet used, and how
/// long its waits may take.
class byte_stream
{
public:
    using clock = std::chrono::steady_clock;
    static constexpr auto never = clock::time_point::max();

    explicit byte_stream(socket_type socket) : socket_(std::move(socket)) {}

    socket_type& socket() noexcept { return socket_; }

    int number() noexcept { return socket_.native_handle(); }

    buffer& input() noexcept { return input_; }

    std::string_view text() const noexcept
    {
        return {reinterpret_cast<const char*>(input_.data().data()), input_.size()};
    }

    std::uint64_t received() const noexcept { return received_; }

    std::uint64_t sent() const noexcept { return sent_; }

    /// How long to wait for something to read: until then is_late() is false.
    void read_until(clock::time_point at) noexcept { read_until_ = at; }

    /// How long the other side may take to make room, again and again; zero for any time.
    void write_within(clock::duration time) noexcept { write_within_ = time; }

    /// Whether a wait has taken too long.
    bool is_late(clock::time_point now) const noexcept
    {
        return (waiting_ == wait::read && read_until_ < now) ||
               (waiting_ == wait::write && write_until_ < now);
    }

    /// Ends the wait that is under way: read() gives `later`, write() throws errc::timed_out.
    void expire()
    {
        expired_ = true;
        cancel();
    }

    /// Whether an operation has failed, so that nothing can be said to the other side any more.
    bool broken() const noexcept { return broken_; }

    /// Whether the other side has closed, as opposed to a wait that cancel() has ended.
    bool at_end() const noexcept { return at_end_; }

    /// The same, but the wait ends as if the other side had closed.
    void cancel()
    {
        std::error_code ignored;
        socket_.cancel(ignored);
    }

    enum class reading
    {
        some,  ///< There is more to read than before.
        end,   ///< The other side has closed, or cancel() ended the wait.
        later, ///< expire() ended the wait.
    };

    /// Reads what has come, at least one byte, or waits for it. Throws std::system_error
    /// (ECONNRESET).
    task<reading> read(std::size_t room)
    {
        auto into = input_.prepare(room);
        auto read = socket_.async_read_some(asio::buffer(into.data(), into.size()),
                                            brood::detail::use_tuple);
        waiting_ = wait::read;
        auto result = co_await std::move(read);
        waiting_ = wait::none;
        co_return arrived(std::get<0>(result), std::get<1>(result));
    }

    /// Sends all of these texts, one behind the other; suspends only when the kernel has no room.
    /// Throws std::system_error (EPIPE, ECONNRESET), never SIGPIPE.
    task<> write(std::string_view first, std::string_view second = {}, std::string_view third = {})
    {
        std::array<std::string_view, 3> rest = {first, second, third};
        try
        {
            while (!write_some(rest))
                co_await writable();
        }
        catch (...)
        {
            broken_ = true; // also when it was cancelled: nothing can follow a part of these texts
            throw;
        }
    }

    /// Sends what the kernel takes now, and moves the views on behind it; true when that was all.
    bool write_some(std::span<std::string_view> rest)
    {
        if (broken_)
            break_off(std::make_error_code(std::errc::broken_pipe), "write to a connection");
        std::array<iovec, 3> parts;
        std::size_t count = 0;
        for (auto& text : rest)
            if (!text.empty())
                parts[count++] = {const_cast<char*>(text.data()), text.size()};
        if (count == 0)
            return true;
        msghdr message = {};
        message.msg_iov = parts.data();
        message.msg_iovlen = count;
        auto taken =
            retry([&] { return ::sendmsg(number(), &message, MSG_NOSIGNAL | MSG_DONTWAIT); });
        return advance(rest, check_written(taken));
    }

    /// Sends a part of a file without copying it. Throws as write(), and EIO when the file has
    /// become shorter.
    task<> write_file(int file, std::uint64_t offset, std::uint64_t count)
    {
        try
        {
            while (count != 0)
            {
                auto written = write_some_of(file, offset, count);
                offset += written;
                count -= written;
                if (written == 0)
                    co_await writable();
            }
        }
        catch (...)
        {
            broken_ = true; // as in write()
            throw;
        }
    }

    /// Whether something has come that nobody has read.
    bool has_unread() { return !text().empty() || peek() > 0; }

    /// Resumes when the other side has closed its end, be there something unread or not; at once
    /// when this is no connection any more.
    task<> gone()
    {
        constexpr std::chrono::milliseconds tick{100}; // what is unread hides the end from a wait
        auto executor = co_await asio::this_coro::executor;
        asio::steady_timer timer(executor);
        while (!has_gone())
        {
            if (peek() > 0)
            {
                timer.expires_after(tick);
                co_await timer.async_wait(brood::detail::use_tuple);
                continue;
            }
            auto readable = socket_.async_wait(socket_type::wait_read, brood::detail::use_tuple);
            co_await std::move(readable);
        }
    }

    /// Sends no more; the other side reads the end.
    void end_writing()
    {
        std::error_code ignored;
        socket_.shutdown(socket_type::shutdown_send, ignored);
    }

    /// Closes so that the other side of TCP gets an error instead of an end.
    void reset()
    {
        std::error_code ignored;
        socket_.set_option(asio::socket_base::linger(true, 0), ignored);
        close();
    }

    void close()
    {
        broken_ = true;
        std::error_code ignored;
        socket_.close(ignored);
    }

    /// Gives back what an idle connection does not need.
    void shrink()
    {
        if (input_.empty() && large_)
        {
            input_ = buffer();
            large_ = false;
        }
    }

private:
    // How much there is to read: 0 at the end, -1 for nothing or when the connection is broken.
    ssize_t peek()
    {
        char byte = 0;
        return retry([&] { return ::recv(number(), &byte, 1, MSG_PEEK | MSG_DONTWAIT); });
    }

    bool has_gone()
    {
        if (!socket_.is_open())
            return true;
        pollfd asked = {number(), peer_has_closed, 0};
        return (::poll(&asked, 1, 0) == 1 && asked.revents != 0) || peek() == 0;
    }

    enum class wait
    {
        none,
        read,
        write,
    };

    [[noreturn]] void break_off(std::error_code why, const char* step)
    {
        broken_ = true;
        throw std::system_error(why, step);
    }

    reading arrived(std::error_code failed, std::size_t count)
    {
        auto expired = std::exchange(expired_, false);
        if (count > 0 && !failed)
        {
            input_.commit(count);
            large_ = large_ || input_.size() >= 4'096;
            received_ += count;
            return reading::some;
        }
        at_end_ = at_end_ || failed == asio::error::eof;
        if (failed && failed != asio::error::eof && failed != asio::error::operation_aborted)
            break_off(failed, "read from a connection");
        return expired ? reading::later : reading::end;
    }

    std::size_t write_some_of(int file, std::uint64_t offset, std::uint64_t count)
    {
        auto most = static_cast<std::size_t>(std::min<std::uint64_t>(count, 1U << 30));
        auto taken = quiet_sendfile(number(), file, static_cast<off_t>(offset), most);
        if (taken == 0)
            break_off(std::make_error_code(std::errc::io_error), "read a file to send");
        return check_written(taken);
    }

    task<> writable()
    {
        write_until_ = write_within_.count() == 0 ? never : clock::now() + write_within_;
        auto room = socket_.async_wait(socket_type::wait_write, brood::detail::use_tuple);
        waiting_ = wait::write;
        co_await std::move(room);
        waiting_ = wait::none;
        if (std::exchange(expired_, false))
        {
            broken_ = true;
            throw error(errc::timed_out, "the other side was too slow");
        }
    }

    // What was written; 0 when there was no room.
    std::size_t check_written(ssize_t taken)
    {
        if (taken == -1 && errno != EAGAIN && errno != EWOULDBLOCK)
            break_off({errno, std::system_category()}, "write to a connection");
        auto written = static_cast<std::size_t>(std::max<ssize_t>(taken, 0));
        sent_ += written;
        return written;
    }

    static bool advance(std::span<std::string_view> rest, std::size_t written)
    {
        bool all = true;
        for (auto& text : rest)
        {
            auto part = std::min(text.size(), written);
            text.remove_prefix(part);
            written -= part;
            all = all && text.empty();
        }
        return all;
    }

    socket_type socket_;
    buffer input_;
    std::uint64_t received_ = 0;
    std::uint64_t sent_ = 0;
    clock::time_point read_until_ = never;
    clock::time_point write_until_ = never;
    clock::duration write_within_{0};
    wait waiting_ = wait::none;
    bool expired_ = false; // the wait that is under way
    bool broken_ = false;
    bool at_end_ = false;
    bool large_ = false; // the buffer has grown
};

} // namespace brood::http::detail
