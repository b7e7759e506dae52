// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/base/internal/deadline.hpp>
#include <brood/process/detail/child_tree.hpp>
#include <brood/process/detail/kept_output.hpp>
#include <brood/process/detail/loop_children.hpp>
#include <brood/process/detail/start.hpp>
#include <brood/process/exec_options.hpp>
#include <brood/process/exec_result.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace brood::detail
{

/// A command that runs, and what it has printed so far.
///
/// Shared by the coroutine that awaits the result and by those that read, write and end it: when
/// the first is cancelled, the others go on until nobody of the command is left. The loop does not
/// go without it, and takes all that it started with it.
class execution final : public loop_child, public std::enable_shared_from_this<execution>
{
public:
    /// `title` is what texts call it.
    execution(asio::any_io_executor executor, std::string program, arguments args,
              exec_options options, std::string title)
        : executor_(std::move(executor)), program_(std::move(program)), args_(std::move(args)),
          options_(std::move(options)), title_(std::move(title)),
          out_(options_.max_output(), options_.on_out()),
          err_(options_.max_output(), options_.on_err()), ended_(executor_), all_read_(executor_),
          over_(executor_)
    {
    }

    // The loop may destroy the coroutines before it asks its children to end.
    ~execution() { end_with_loop(); }

    /// Starts it and waits for its end. Cancelled before, it starts nothing; cancelled later, it
    /// ends the command, and all that it started, in the background.
    static task<exec_result> run(std::shared_ptr<execution> self)
    {
        // In a later turn: what is cancelled in the one that it began in starts nothing.
        co_await asio::post(self->executor_, asio::use_awaitable);
        auto cancellation = co_await asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != asio::cancellation_type::none)
            throw std::system_error(asio::error::operation_aborted, "run " + self->title_);
        self->start();
        try
        {
            co_await self->over_.get();
        }
        catch (...)
        {
            self->leave();
            throw;
        }
        self->leave();
        if (self->failure_)
            std::rethrow_exception(self->failure_);
        exec_result result;
        result.out = self->out_.take();
        result.err = self->err_.take();
        result.status = *self->child_->exited.peek();
        result.limit = self->limit_;
        result.command = std::move(self->title_);
        result.left_running = std::move(self->left_running_);
        co_return result;
    }

    void end_with_loop() noexcept override
    {
        if (!child_ || over_.ready() || child_->on_drop == on_drop::detach)
            return;
        try
        {
            tree().signal_frozen(SIGKILL);
        }
        catch (const std::exception&)
        {
            // It is somebody else's by now, or there is no memory to look for it.
        }
    }

    void leave_loop(std::chrono::steady_clock::time_point) noexcept override {}

private:
    void start()
    {
        auto start = options_.start();
        auto timeout = start.timeout;
        if (timeout >= std::chrono::milliseconds::zero())
            start.timeout.reset(); // or else it is refused
        lead_streams(start);
        stand_apart(start);
        loop_children::of(executor_).add(*this);
        child_ = detail::start(executor_, program_, args_, start, title_);
        for (auto& [number, pipe] : child_->outputs)
            if (number == 1 || number == 2)
                begin(read_output(shared_from_this(), pipe, number == 1 ? out_ : err_));
        if (child_->inputs.count(0) != 0)
            begin(feed(shared_from_this()));
        if (timeout)
            begin(end_after(shared_from_this(), *timeout));
        begin(await_end(shared_from_this()));
    }

    void lead_streams(spawn_options& start)
    {
        if (options_.input())
            start.stdin_ = stdio::pipe();
        else if (start.stdin_.what() == stdio::kind::inherit)
            start.stdin_ = stdio::ignore();
        start.stdout_ = stdio::pipe();
        if (start.stderr_.what() != stdio::kind::same_as_stdout)
            start.stderr_ = stdio::pipe();
        streams_left_ = start.stderr_.what() == stdio::kind::pipe ? 2 : 1;
    }

    // Whoever it starts is in its group as well, and is reached by that when the parent has gone. A
    // Ctrl-C for this process does not reach it there.
    static void stand_apart(spawn_options& start)
    {
        if (start.group != process_group::inherit())
            return;
        start.group = process_group::own();
        if (start.on_drop != on_drop::detach)
            start.die_with_parent = true;
    }

    void begin(task<> work) { asio::co_spawn(executor_, std::move(work), asio::detached); }

    // A program need not read all, or any, of its input.
    static task<> feed(std::shared_ptr<execution> self)
    {
        auto end = pipe_core::of(self->child_->inputs.at(0));
        std::string_view text;
        if (self->options_.input())
            text = *self->options_.input();
        try
        {
            co_await pipe_core::write(end, text);
        }
        catch (const std::system_error&)
        {
        }
        end->close_writing();
    }

    // `to` is a part of `self`.
    static task<> read_output(std::shared_ptr<execution> self, pipe_reader from, kept_output& to)
    {
        try
        {
            for (bool more = true; more;)
            {
                auto piece = co_await from.read_some();
                if (!to.add(piece))
                    self->end(exec_limit::output);
                more = !piece.empty();
            }
        }
        catch (const std::system_error&)
        {
            // Closed here: nobody waits for more.
        }
        catch (...)
        {
            self->fail(std::current_exception()); // of the observer
        }
        if (--self->streams_left_ == 0)
            self->all_read_.set({});
    }

    // A grandchild may hold the pipes for ever, and is given a second. The child is not collected
    // before: its group may have to be ended.
    static task<> await_end(std::shared_ptr<execution> self)
    {
        co_await self->child_->process.ended_uncollected(self->executor_);
        self->ended_.set({});
        co_await self->all_read_.get_until(time_from_now(std::chrono::seconds(1)));
        if (!self->is_ending_)
            self->finish();
    }

    static task<> end_after(std::shared_ptr<execution> self, std::chrono::milliseconds time)
    {
        auto ended = co_await self->ended_.get_until(time_from_now(time));
        if (!ended)
            self->end(exec_limit::timeout);
    }

    void finish()
    {
        auto& process = child_->process;
        if (process.collect_if_ended())
            process.stop_watching();
        else
            child_->detach();
        child_->exited.set(process.status().value_or(exit_status{}));
        over_.set({});
    }

    void fail(std::exception_ptr why)
    {
        if (!failure_)
            failure_ = std::move(why);
        stop_observing();
        end(exec_limit::none);
    }

    void stop_observing() noexcept
    {
        out_.stop_observing();
        err_.stop_observing();
    }

    /// Nobody waits for it any more.
    void leave()
    {
        stop_observing();
        if (over_.ready())
            close();
        else
            end(exec_limit::none);
    }

    void end(exec_limit why)
    {
        if (over_.ready() || std::exchange(is_ending_, true))
            return;
        limit_ = why;
        begin(end_tree(shared_from_this()));
    }

    static task<> end_tree(std::shared_ptr<execution> self)
    {
        background_stop ending(self->executor_);
        try
        {
            co_await take_steps(self);
        }
        catch (const std::exception& refused)
        {
            self->left_running_ = refused.what(); // it is another user's
        }
        self->close();
        self->finish();
    }

    // As its policy says, and at last by SIGKILL: a policy that does not end it would leave us
    // here for ever. Who holds its pipes and is none of it, a daemon, has a second.
    static task<> take_steps(std::shared_ptr<execution> self)
    {
        auto gone = false;
        for (auto& step : self->child_->stop.steps())
        {
            if (step.number() != 0)
                self->tree().signal_frozen(step.number());
            gone = co_await all_gone(self, time_from_now(step.wait()));
            if (gone)
                break;
        }
        if (!gone || !process_tree::can_be_seen())
        {
            self->tree().signal_frozen(SIGKILL);
            gone = co_await all_gone(self, time_from_now(std::chrono::seconds(5)));
        }
        co_await self->all_read_.get_until(time_from_now(std::chrono::seconds(1)));
        if (!gone)
            self->left_running_ = "it outlives SIGKILL";
        else if (self->tree().anyone_out_of_reach())
            self->left_running_ = "it is another user's";
    }

    // Those of a group are not told where there is no /proc; most have its pipes.
    static task<bool> all_gone(std::shared_ptr<execution> self,
                               std::chrono::steady_clock::time_point until)
    {
        auto ended = co_await self->ended_.get_until(until);
        if (ended && !process_tree::can_be_seen())
        {
            auto soonest = std::min(until, time_from_now(std::chrono::seconds(1)));
            co_await self->all_read_.get_until(soonest);
        }
        auto pause = std::chrono::milliseconds(1);
        while (ended && self->tree().anyone_runs())
        {
            if (std::chrono::steady_clock::now() >= until)
                co_return false;
            co_await sleep(pause);
            pause = std::min(2 * pause, std::chrono::milliseconds(50));
        }
        co_return ended.has_value();
    }

    child_tree& tree() { return tree_ ? *tree_ : tree_.emplace(*child_); }

    // Whoever still reads or writes is told that nothing more is wanted.
    void close() noexcept { child_->close_pipes(); }

    asio::any_io_executor executor_;
    std::string program_;
    arguments args_;
    exec_options options_;
    std::string title_;
    kept_output out_;
    kept_output err_;
    std::shared_ptr<child_process_core> child_;
    std::optional<child_tree> tree_; // once it is being ended
    exec_limit limit_ = exec_limit::none;
    std::string left_running_;   // why
    std::exception_ptr failure_; // of an observer
    int streams_left_ = 0;
    bool is_ending_ = false;
    shared_result<std::monostate> ended_; // the child, and it is not collected yet
    shared_result<std::monostate> all_read_;
    shared_result<std::monostate> over_;
};

} // namespace brood::detail
