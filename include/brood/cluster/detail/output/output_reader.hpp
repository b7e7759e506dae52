// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/cluster/detail/output/line_printer.hpp>
#include <brood/cluster/detail/output/line_queue.hpp>
#include <brood/cluster/worker_output.hpp>
#include <brood/process/fork.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace brood::detail
{

/// Where the lines of all workers of a cluster go.
class output_hub
{
public:
    output_hub(const asio::any_io_executor& executor, const worker_output& settings)
        : settings_(settings), lines_(std::make_shared<line_queue>(executor, settings))
    {
        if (settings.where == worker_output::goes::printed)
            printer_ = std::make_shared<line_printer>(executor, lines_, settings.in_color);
    }

    const worker_output& settings() const noexcept { return settings_; }

    const std::shared_ptr<line_queue>& lines() const noexcept { return lines_; }

    void add(output_line line)
    {
        lines_->push(std::move(line));
        if (printer_)
            printer_->print();
    }

    /// The cluster has ended.
    void close()
    {
        if (printer_)
            printer_->close();
        lines_->end();
    }

private:
    worker_output settings_;
    std::shared_ptr<line_queue> lines_;
    std::shared_ptr<line_printer> printer_;
};

/// Reads what one worker prints, and passes it on as lines.
class output_reader : public std::enable_shared_from_this<output_reader>
{
public:
    /// `by` says which worker it is.
    output_reader(output_line by, std::shared_ptr<output_hub> to)
        : by_(std::move(by)), to_(std::move(to))
    {
    }

    /// Reads a stream of the worker until nobody, a grandchild say, holds it any more.
    void read(int stream, pipe_reader from)
    {
        pipes_.try_emplace(stream, from);
        asio::co_spawn(from.get_executor(), follow(shared_from_this(), stream, from),
                       asio::detached);
    }

    /// Asks this for the host of one elsewhere, for each line until it is known.
    void ask_for_host(std::function<std::string()> host) { host_ = std::move(host); }

    /// Tells when it prints a line with this text in it, once.
    void look_for(std::string text, std::function<void()> found)
    {
        wanted_ = std::move(text);
        found_ = std::move(found);
    }

    /// The worker has ended: passes on what it left in its pipes, and gives the last of it all.
    std::string finish()
    {
        for (auto& [stream, pipe] : pipes_)
        {
            add(stream, pipe.read_now());
            end_line(stream);
        }
        return last_;
    }

private:
    static task<> follow(std::shared_ptr<output_reader> self, int stream, pipe_reader from)
    {
        try
        {
            for (;;)
            {
                auto piece = co_await from.read_some();
                if (piece.empty())
                    break;
                self->add(stream, piece);
                co_await line_queue::room(self->to_->lines());
            }
        }
        catch (const std::system_error&)
        {
            // Nobody has the worker any more, and the pipe was closed.
        }
        self->end_line(stream);
    }

    void add(int stream, std::string_view piece)
    {
        keep(piece);
        auto& begun = begun_[stream];
        for (;;)
        {
            auto end = piece.find('\n');
            auto most = to_->settings().longest_line - begun.size();
            auto part = piece.substr(0, std::min(end, most));
            begun += part;
            piece.remove_prefix(part.size());
            if (piece.empty())
                return;
            if (piece.front() == '\n')
                piece.remove_prefix(1);
            pass_on(stream);
        }
    }

    void end_line(int stream)
    {
        if (!begun_[stream].empty())
            pass_on(stream);
    }

    void pass_on(int stream)
    {
        if (host_ && by_.host.empty())
            by_.host = host_();
        auto line = by_;
        line.stream = stream;
        line.text = std::exchange(begun_[stream], {});
        if (found_ && line.text.find(wanted_) != std::string::npos)
            std::exchange(found_, nullptr)();
        to_->add(std::move(line));
    }

    void keep(std::string_view piece)
    {
        auto most = to_->settings().kept;
        last_ += piece.substr(piece.size() - std::min(piece.size(), most));
        last_.erase(0, last_.size() - std::min(last_.size(), most));
    }

    output_line by_;
    std::function<std::string()> host_;
    std::shared_ptr<output_hub> to_;
    std::map<int, pipe_reader> pipes_;
    std::map<int, std::string> begun_; // lines without their ends, by stream
    std::string last_;
    std::string wanted_; // somebody waits for a line with it
    std::function<void()> found_;
};

} // namespace brood::detail
