// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/shared_result.hpp>
#include <brood/process/detail/process_tree.hpp>
#include <brood/process/exec_options.hpp>
#include <brood/process/exec_result.hpp>
#include <brood/process/spawn.hpp>

#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace brood::detail
{

/// A command that runs, and what it has printed so far.
class execution : public std::enable_shared_from_this<execution>
{
public:
    execution(asio::any_io_executor executor, std::string program, arguments args,
              exec_options options)
        : executor_(std::move(executor)), program_(std::move(program)), args_(std::move(args)),
          options_(std::move(options)), has_ended_(executor_), all_read_(executor_),
          tree_ended_(executor_)
    {
    }

    /// Starts it and waits for its end. Cancelled before, it starts nothing; cancelled later, it
    /// ends the command, and all that it started, in the background.
    static task<exec_result> run(std::shared_ptr<execution> self)
    {
        co_await asio::post(self->executor_, asio::use_awaitable);
        auto cancellation = co_await asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != asio::cancellation_type::none)
            throw std::system_error(asio::error::operation_aborted, "run " + self->program_);
        self->start();
        try
        {
            co_await ended(self);
        }
        catch (const std::system_error&)
        {
            self->end(exec_limit::none);
            throw;
        }
        self->close();
        if (self->failure_)
            std::rethrow_exception(self->failure_);
        co_return std::move(self->result_);
    }

private:
    void start()
    {
        auto start = options_.start();
        auto timeout = std::exchange(start.timeout, std::nullopt);
        if (options_.input())
            start.stdin_ = stdio::pipe();
        else if (start.stdin_.what() == stdio::kind::inherit)
            start.stdin_ = stdio::ignore();
        start.stdout_ = stdio::pipe();
        start.stderr_ = stdio::pipe();
        child_ = brood::spawn(executor_, program_, args_, start);
        begin(collect(shared_from_this(), child_.out(), result_.out, options_.on_out()));
        begin(collect(shared_from_this(), child_.err(), result_.err, options_.on_err()));
        if (options_.input())
            begin(feed(shared_from_this()));
        if (timeout)
            begin(end_after(shared_from_this(), *timeout));
    }

    void begin(task<> work) { asio::co_spawn(executor_, std::move(work), asio::detached); }

    // A program need not read all, or any, of its input.
    static task<> feed(std::shared_ptr<execution> self)
    {
        auto to = self->child_.in();
        try
        {
            co_await to.write(*self->options_.input());
        }
        catch (const std::system_error&)
        {
        }
        to.close();
    }

    static task<> collect(std::shared_ptr<execution> self, pipe_reader from, std::string& to,
                          exec_options::listener listener)
    {
        try
        {
            for (bool more = true; more;)
            {
                auto piece = co_await from.read_some();
                self->keep(piece, to, listener);
                more = !piece.empty();
            }
        }
        catch (const std::system_error&)
        {
            // Closed here: nobody waits for more.
        }
        catch (...)
        {
            self->failure_ = std::current_exception(); // of the listener
            self->end(exec_limit::none);
        }
        if (++self->streams_ended_ == 2)
            self->all_read_.set({});
    }

    void keep(std::string_view piece, std::string& to, const exec_options::listener& listener)
    {
        auto kept = piece.substr(0, options_.max_output() - to.size());
        to.append(kept);
        if (listener && !kept.empty())
            listener(kept);
        if (kept.size() < piece.size())
            end(exec_limit::output);
    }

    // A grandchild may hold the pipes for ever, and is given a second.
    static task<> ended(std::shared_ptr<execution> self)
    {
        self->result_.status = co_await self->child_.exit();
        self->has_ended_.set({});
        co_await self->all_read_.get_until(time_from_now(std::chrono::seconds(1)));
        if (self->is_ending_)
            co_await self->tree_ended_.get();
    }

    static task<> end_after(std::shared_ptr<execution> self, std::chrono::milliseconds time)
    {
        auto ended = co_await self->has_ended_.get_until(time_from_now(time));
        if (!ended)
            self->end(exec_limit::timeout);
    }

    void end(exec_limit why)
    {
        if (std::exchange(is_ending_, true))
            return;
        result_.limit = why;
        begin(end_tree(shared_from_this()));
    }

    // As its stop policy says, and all that it started as well: those that were found are known to
    // the end, although their parent may be gone by then.
    static task<> end_tree(std::shared_ptr<execution> self)
    {
        process_tree tree(self->child_.pid());
        for (auto& step : self->options_.start().stop.steps())
        {
            tree.look();
            self->signal(tree, step.signal);
            auto until = time_from_now(step.wait);
            auto ended = co_await self->has_ended_.get_until(until);
            auto read = co_await self->all_read_.get_until(until);
            if (ended && read)
                break;
        }
        tree.signal(SIGKILL);
        self->close();
        self->tree_ended_.set({});
    }

    void signal(const process_tree& tree, int number)
    {
        if (number == 0)
            return;
        child_.kill(number);
        tree.signal(number);
        if (number == SIGKILL)
            return;
        child_.kill(SIGCONT);
        tree.signal(SIGCONT);
    }

    // Whoever still reads is told that nothing more is wanted.
    void close()
    {
        child_.out().close();
        child_.err().close();
        if (options_.input())
            child_.in().close();
    }

    asio::any_io_executor executor_;
    std::string program_;
    arguments args_;
    exec_options options_;
    child_process child_;
    exec_result result_;
    std::exception_ptr failure_; // of a listener
    int streams_ended_ = 0;
    bool is_ending_ = false;
    shared_result<std::monostate> has_ended_;
    shared_result<std::monostate> all_read_;
    shared_result<std::monostate> tree_ended_;
};

} // namespace brood::detail
