// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/write_without_waiting.hpp>
#include <brood/base/loop.hpp>
#include <brood/cluster/detail/output/line_queue.hpp>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>

namespace brood::detail
{

/// Prints lines on the streams of this process, each whole and behind its prefix.
///
/// What the streams do not take at once waits in the queue.
class line_printer : public std::enable_shared_from_this<line_printer>
{
public:
    line_printer(asio::any_io_executor executor, std::shared_ptr<line_queue> lines, bool in_color)
        : executor_(std::move(executor)), lines_(std::move(lines)), in_color_(in_color)
    {
    }

    /// Prints what waits, as far as the streams take it; the rest in the background.
    void print()
    {
        if (!is_waiting_ && !write_now())
            asio::co_spawn(executor_, write_later(shared_from_this()), asio::detached);
    }

    /// Prints what it can, and no more after it.
    void close()
    {
        if (!std::exchange(is_closed_, true))
            write_now();
    }

private:
    // False when a stream takes no more for now.
    bool write_now()
    {
        while (!unwritten_.empty() || !lines_->empty())
        {
            if (unwritten_.empty())
                take(lines_->pop());
            auto count = write_without_waiting(stream_, unwritten_);
            if (count == -1 && errno == EAGAIN)
                return false;
            // Without a reader it is lost, as it is for a worker that prints by itself.
            unwritten_.erase(0, count == -1 ? unwritten_.size() : static_cast<std::size_t>(count));
        }
        return true;
    }

    void take(const output_line& line)
    {
        if (line.lost != 0)
            unwritten_ = '[' + std::to_string(line.lost) + " lines of workers were lost]\n";
        stream_ = line.stream;
        unwritten_ += in_color_ && ::isatty(stream_) == 1 ? colored(line) : to_string(line);
        unwritten_ += '\n';
    }

    static std::string colored(const output_line& line)
    {
        constexpr std::size_t first = 31, colours = 6; // red to cyan
        auto text = to_string(line);
        text.insert(text.size() - line.text.size() - 1, "\033[0m");
        return "\033[" + std::to_string(first + line.slot % colours) + 'm' + text;
    }

    // To wait in the loop, Asio would make the stream non-blocking for all who share it.
    static task<> write_later(std::shared_ptr<line_printer> self)
    {
        self->is_waiting_ = true;
        while (!self->is_closed_ && !self->write_now())
            co_await sleep(std::chrono::milliseconds(10));
        self->is_waiting_ = false;
    }

    asio::any_io_executor executor_;
    std::shared_ptr<line_queue> lines_;
    bool in_color_;
    std::string unwritten_; // the rest of one line
    int stream_ = 1;        // where it goes
    bool is_waiting_ = false;
    bool is_closed_ = false;
};

} // namespace brood::detail
