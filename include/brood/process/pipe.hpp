// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/process/detail/pipe_operations.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace brood
{

/// The end of a pipe that this process reads: what a child prints.
///
/// Also a stream for Asio's own operations: `asio::async_read_until(child.out(), …)`. Both ways of
/// reading may be mixed; what one has read ahead, the other finds. Every wait may be cancelled and
/// loses nothing. One coroutine at a time should read: two would share the bytes by chance. Copies
/// are for the same end.
class pipe_reader
{
public:
    using executor_type = asio::any_io_executor;

    /// The longest line that read_line() takes by default, in bytes.
    static constexpr std::size_t longest_line = std::size_t{16} << 20;

    /// For read_all() without a limit.
    static constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

    pipe_reader(asio::any_io_executor executor, descriptor end)
        : end_(std::make_shared<detail::pipe_core>(std::move(executor), std::move(end)))
    {
    }

    // Not movable: nobody finds a child without its pipe.
    pipe_reader(const pipe_reader&) = default;
    pipe_reader& operator=(const pipe_reader&) = default;

    executor_type get_executor() const noexcept { return end_->executor(); }

    bool is_open() const noexcept { return end_->is_open(); }

    /// Some bytes as soon as there are any; empty at the end. Does not suspend when there are some
    /// already. Throws std::system_error.
    task<std::string> read_some() { return some(end_); }

    /// The next line without its end, or nothing when there are no more. The last line may lack its
    /// end. One that is longer than `longest` throws errc::too_large, and can be read by others.
    task<std::optional<std::string>> read_line(std::size_t longest = longest_line)
    {
        return line(end_, longest);
    }

    /// Everything until the end. More than `most` bytes throw errc::too_large, and can be read by
    /// others.
    task<std::string> read_all(std::size_t most = unlimited) { return all(end_, most); }

    /// Asio's AsyncReadStream.
    template <class Buffers, class Token>
    auto async_read_some(const Buffers& to, Token&& token)
    {
        return asio::async_initiate<Token, void(std::error_code, std::size_t)>(
            detail::pipe_read{end_}, token, to);
    }

    /// The child finds nobody who reads: SIGPIPE or EPIPE. Whoever waits here gets
    /// operation_aborted.
    void close() { end_->close(); }

    /// For child_process: what is shared with those who wait.
    const std::shared_ptr<detail::pipe_core>& end() const noexcept { return end_; }

private:
    static std::string take(buffer& from, std::size_t count)
    {
        std::string text(reinterpret_cast<const char*>(from.data().data()), count);
        from.consume(count);
        return text;
    }

    static task<std::string> some(std::shared_ptr<detail::pipe_core> end)
    {
        if (end->unread().empty())
            co_await detail::pipe_core::read_more(end);
        co_return take(end->unread(), end->unread().size());
    }

    static task<std::optional<std::string>> line(std::shared_ptr<detail::pipe_core> end,
                                                 std::size_t longest)
    {
        auto& unread = end->unread();
        for (std::size_t searched = 0;;)
        {
            auto found = find_line_end(unread, searched);
            searched = unread.size();
            if (found.value_or(searched) > longest)
                throw_too_large("a line", longest);
            if (found)
            {
                auto text = take(unread, *found);
                unread.consume(1);
                co_return text;
            }
            auto more = co_await detail::pipe_core::read_more(end);
            if (!more)
                break;
        }
        if (unread.empty())
            co_return std::nullopt;
        co_return take(unread, unread.size());
    }

    static task<std::string> all(std::shared_ptr<detail::pipe_core> end, std::size_t most)
    {
        for (bool more = true; more;)
        {
            if (end->unread().size() > most)
                throw_too_large("what it wrote", most);
            more = co_await detail::pipe_core::read_more(end);
        }
        co_return take(end->unread(), end->unread().size());
    }

    static std::optional<std::size_t> find_line_end(const buffer& in, std::size_t from)
    {
        auto bytes = in.data().subspan(std::min(from, in.size()));
        auto found = bytes.empty() ? nullptr : std::memchr(bytes.data(), '\n', bytes.size());
        if (found == nullptr)
            return std::nullopt;
        return static_cast<std::size_t>(static_cast<const std::byte*>(found) - in.data().data());
    }

    [[noreturn]] static void throw_too_large(const char* what, std::size_t limit)
    {
        throw error(errc::too_large, std::string("pipe from a child: ") + what +
                                         " is longer than " + std::to_string(limit) + " bytes");
    }

    std::shared_ptr<detail::pipe_core> end_;
};

/// The end of a pipe that this process writes: the input of a child.
///
/// Also a stream for Asio's own operations: `asio::async_write(child.in(), …)`. Whichever way, a
/// reader that has gone is std::system_error (EPIPE) for the writer, and there is no SIGPIPE.
/// Copies are for the same end.
class pipe_writer
{
public:
    using executor_type = asio::any_io_executor;

    pipe_writer(asio::any_io_executor executor, descriptor end)
        : pipe_writer(std::make_shared<detail::pipe_core>(std::move(executor), std::move(end)))
    {
    }

    /// For child_process: the other direction of a stream both ways.
    explicit pipe_writer(std::shared_ptr<detail::pipe_core> end) : end_(std::move(end)) {}

    pipe_writer(const pipe_writer&) = default;
    pipe_writer& operator=(const pipe_writer&) = default;

    executor_type get_executor() const noexcept { return end_->executor(); }

    bool is_open() const noexcept { return end_->is_open(); }

    /// Writes all of it; suspends only while the pipe is full. Throws std::system_error (EPIPE).
    /// Cancelled, a part of it may have been written.
    task<> write(std::string text) { return write_all(end_, std::move(text)); }

    /// Asio's AsyncWriteStream.
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& from, Token&& token)
    {
        return asio::async_compose<Token, void(std::error_code, std::size_t)>(
            detail::pipe_write<Buffers>(end_, from), token, end_->executor());
    }

    /// The child reads the end.
    void close() { end_->close_writing(); }

    const std::shared_ptr<detail::pipe_core>& end() const noexcept { return end_; }

private:
    static task<> write_all(std::shared_ptr<detail::pipe_core> end, std::string text)
    {
        co_await detail::pipe_core::write(end, text);
    }

    std::shared_ptr<detail::pipe_core> end_;
};

} // namespace brood
