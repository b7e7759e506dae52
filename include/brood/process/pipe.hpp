// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/task.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace brood
{
namespace detail
{

class pipe_core;

} // namespace detail

/// The end of a pipe that this process reads: what a child prints.
///
/// With <brood/process/pipe_stream.hpp> also a stream for Asio's own operations:
/// `asio::async_read_until(child.out(), …)`. Both ways of reading may be mixed; what one has read
/// ahead, the other finds. Every wait may be cancelled and loses nothing. One coroutine at a time
/// should read: two would share the bytes by chance. Copies are for the same end.
class pipe_reader
{
public:
    using executor_type = asio::any_io_executor;

    /// The longest line that read_line() takes by default, in bytes.
    static constexpr std::size_t longest_line = std::size_t{16} << 20;

    /// For read_all() without a limit.
    static constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

    pipe_reader(asio::any_io_executor executor, descriptor end);

    // Not movable: nobody finds a child without its pipe.
    pipe_reader(const pipe_reader&) = default;
    pipe_reader& operator=(const pipe_reader&) = default;

    executor_type get_executor() const noexcept;

    bool is_open() const noexcept;

    /// Some bytes as soon as there are any; empty at the end. Does not suspend when there are some
    /// already. Throws std::system_error.
    task<std::string> read_some();

    /// The next line without its end, or nothing when there are no more. The last line may lack its
    /// end. One that is longer than `longest` throws errc::too_large, and can be read by others.
    task<std::optional<std::string>> read_line(std::size_t longest = longest_line);

    /// Everything until the end. More than `most` bytes throw errc::too_large, and can be read by
    /// others.
    task<std::string> read_all(std::size_t most = unlimited);

    /// What is here already, without waiting: a little more than a pipe holds, at most. Empty also
    /// at the end.
    std::string read_now();

    /// Asio's AsyncReadStream, defined in <brood/process/pipe_stream.hpp>.
    template <class Buffers, class Token>
    auto async_read_some(const Buffers& to, Token&& token);

    /// The child finds nobody who reads: SIGPIPE or EPIPE. Whoever waits here gets
    /// operation_aborted.
    void close();

private:
    friend class detail::pipe_core;

    std::shared_ptr<detail::pipe_core> core_;
};

/// The end of a pipe that this process writes: the input of a child.
///
/// With <brood/process/pipe_stream.hpp> also a stream for Asio's own operations:
/// `asio::async_write(child.in(), …)`. Whichever way, a reader that has gone is std::system_error
/// (EPIPE) for the writer, and there is no SIGPIPE. Copies are for the same end.
class pipe_writer
{
public:
    using executor_type = asio::any_io_executor;

    pipe_writer(asio::any_io_executor executor, descriptor end);

    /// The other direction of a stream both ways.
    explicit pipe_writer(const pipe_reader& of);

    pipe_writer(const pipe_writer&) = default;
    pipe_writer& operator=(const pipe_writer&) = default;

    executor_type get_executor() const noexcept;

    bool is_open() const noexcept;

    /// Writes all of it; suspends only while the pipe is full. Throws std::system_error (EPIPE).
    /// Cancelled, a part of it may have been written.
    task<> write(std::string text);

    /// Asio's AsyncWriteStream, defined in <brood/process/pipe_stream.hpp>.
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& from, Token&& token);

    /// The child reads the end.
    void close();

private:
    friend class detail::pipe_core;

    std::shared_ptr<detail::pipe_core> core_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/pipe.ipp>
#endif
