// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/base/internal/deadline.hpp>
#include <brood/base/loop.hpp>
#include <brood/process/exec.hpp>
#include <brood/process/spawn.hpp>
#include <brood/remote/deploy.hpp>
#include <brood/remote/detail/control_folder.hpp>
#include <brood/remote/detail/ssh_complaint.hpp>
#include <brood/remote/host_list.hpp>
#include <brood/remote/ssh_command.hpp>
#include <brood/remote/ssh_options.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace brood::detail
{

/// A connection to a machine that workers share: an ssh that holds it and does nothing else.
struct ssh_connection
{
    ssh_connection(const asio::any_io_executor& executor, std::string at)
        : path(std::move(at)), stands(executor), over(executor)
    {
    }

    const std::string path; // of its control socket
    child_process master;
    std::size_t sessions = 0;
    shared_result<std::string> stands; // empty, or why it does not
    shared_result<bool> over;          // whoever wanted it has gone
};

/// The connections of one loop to one machine: shared by many workers each, with no more logins
/// under way at once than its sshd takes.
class ssh_connections : public std::enable_shared_from_this<ssh_connections>
{
public:
    ssh_connections(asio::any_io_executor executor, ssh_options options, remote_host host,
                    std::shared_ptr<control_folder> folder)
        : executor_(std::move(executor)), options_(std::move(options)), host_(std::move(host)),
          folder_(std::move(folder)), login_is_over_(executor_)
    {
    }

    ~ssh_connections()
    {
        for (auto& each : connections_)
            each->over.set(true);
    }

    const asio::any_io_executor& executor() const noexcept { return executor_; }

    /// One session, or one login where nothing is shared; given back with it.
    class seat
    {
    public:
        seat(std::shared_ptr<ssh_connections> of, std::shared_ptr<ssh_connection> on)
            : of_(std::move(of)), on_(std::move(on))
        {
        }

        seat(const seat&) = delete;
        seat& operator=(const seat&) = delete;

        ~seat()
        {
            if (on_)
                of_->leave(on_);
            else
                log_in();
        }

        /// Of the control socket; empty for a connection of its own.
        std::string path() const { return on_ ? on_->path : std::string(); }

        /// A login is over: another may begin.
        void log_in()
        {
            if (!on_ && !std::exchange(is_in_, true))
                of_->end_login();
        }

    private:
        std::shared_ptr<ssh_connections> of_;
        std::shared_ptr<ssh_connection> on_;
        bool is_in_ = false;
    };

    /// Waits for one. Throws std::runtime_error when the machine cannot be reached, with why.
    static task<std::shared_ptr<seat>> take_seat(std::shared_ptr<ssh_connections> self)
    {
        if (!self->options_.share_connections)
        {
            co_await begin_login(self);
            co_return std::make_shared<seat>(self, nullptr);
        }
        auto on = self->with_room();
        // From here on it is given back, whatever happens.
        auto taken = std::make_shared<seat>(self, on);
        auto why_not = co_await on->stands.get();
        if (!why_not.empty())
            throw std::runtime_error(why_not);
        co_return taken;
    }

    /// Makes the program ready there, once for all workers, and gives its path. Throws
    /// deploy_error.
    static task<std::string> make_ready(std::shared_ptr<ssh_connections> self,
                                        std::shared_ptr<seat> through, program_file program,
                                        deploy_options how)
    {
        if (!self->program_)
        {
            self->program_ = std::make_shared<shared_result<brought>>(self->executor_);
            how.control_path = through->path();
            auto work = bring(self, self->program_, std::move(program), std::move(how));
            asio::co_spawn(self->executor_, std::move(work), asio::detached);
        }
        auto waits_for = self->program_;
        auto there = co_await waits_for->get();
        if (there.failed)
            std::rethrow_exception(there.failed);
        co_return there.path;
    }

    /// Closes the way of a worker that has come, or will not, on a connection that goes on.
    static task<> close_way(std::shared_ptr<ssh_connections> self, std::shared_ptr<seat> through,
                            reverse_forward way)
    {
        auto command = ssh_control(self->options_, self->host_, through->path(), "cancel", way);
        auto limited = exec_options().timeout(std::chrono::seconds(5));
        try
        {
            co_await exec_file(command.program, command.args, limited);
        }
        catch (const std::exception&)
        {
            // It goes with the connection.
        }
    }

private:
    struct brought
    {
        std::string path;
        std::exception_ptr failed;
    };

    // ---- Logins

    static task<> begin_login(std::shared_ptr<ssh_connections> self)
    {
        while (self->logins_ >= self->options_.logins_at_once)
            co_await self->login_is_over_.wait();
        ++self->logins_;
    }

    void end_login()
    {
        --logins_;
        login_is_over_.post_all();
    }

    // ---- Connections

    // One with room, whether it stands or not; a session of it is taken.
    std::shared_ptr<ssh_connection> with_room()
    {
        std::erase_if(connections_, [](auto& each) { return has_ended(*each); });
        for (auto& each : connections_)
            if (each->sessions < options_.sessions_per_connection)
                return take_session(each);
        auto made = std::make_shared<ssh_connection>(executor_, folder_->new_path());
        connections_.push_back(made);
        asio::co_spawn(executor_, open(shared_from_this(), made), asio::detached);
        return take_session(made);
    }

    static std::shared_ptr<ssh_connection> take_session(std::shared_ptr<ssh_connection> on)
    {
        ++on->sessions;
        return on;
    }

    static bool has_ended(const ssh_connection& one)
    {
        return !one.stands.peek().value_or("").empty() || (one.master && one.master.status());
    }

    static task<> open(std::shared_ptr<ssh_connections> self, std::shared_ptr<ssh_connection> made)
    {
        co_await begin_login(self);
        std::string why_not;
        try
        {
            self->start_master(*made);
            while (!made->master.status() && !std::filesystem::exists(made->path))
                co_await sleep(std::chrono::milliseconds(5));
            if (auto ended = made->master.status())
                why_not = self->complaint(*ended, made->master.err().read_now());
        }
        catch (const std::exception& failed)
        {
            why_not = failed.what();
        }
        self->end_login();
        made->stands.set(std::move(why_not));
    }

    void start_master(ssh_connection& made)
    {
        auto command = ssh_master(options_, host_, made.path);
        spawn_options start;
        start.stdin_ = start.stdout_ = stdio::ignore();
        start.stderr_ = stdio::pipe();
        // A Ctrl-C is for this process, whose workers have to finish first.
        start.group = process_group::own();
        start.die_with_parent = true;
        made.master = spawn(executor_, command.program, command.args, start);
    }

    static std::string complaint(const exit_status& ended, const std::string& err)
    {
        auto why = ssh_complaint(ended.code, err);
        return why ? *why : "no connection: " + to_string(ended) + ": " + err;
    }

    void leave(const std::shared_ptr<ssh_connection>& on)
    {
        if (--on->sessions == 0 && !on->over.loop_has_ended())
            asio::co_spawn(executor_, close_later(weak_from_this(), on), asio::detached);
    }

    // Nobody uses it now: it goes on for a little, as a successor may come.
    static task<> close_later(std::weak_ptr<ssh_connections> all,
                              std::shared_ptr<ssh_connection> unused)
    {
        co_await unused->over.get_until(time_from_now(std::chrono::seconds(5)));
        auto self = all.lock();
        if (self && unused->sessions == 0)
            std::erase(self->connections_, unused);
    }

    // ---- The program

    static task<> bring(std::shared_ptr<ssh_connections> self,
                        std::shared_ptr<shared_result<brought>> result, program_file program,
                        deploy_options how)
    {
        brought there;
        try
        {
            auto ready = co_await deploy(self->options_, self->host_, std::move(program), how);
            there.path = ready.path;
        }
        catch (const std::exception&)
        {
            there.failed = std::current_exception();
            self->program_ = nullptr; // the next one tries again
        }
        result->set(std::move(there));
    }

    asio::any_io_executor executor_;
    ssh_options options_;
    remote_host host_;
    std::shared_ptr<control_folder> folder_;
    wait_queue login_is_over_;
    std::size_t logins_ = 0;
    std::vector<std::shared_ptr<ssh_connection>> connections_;
    std::shared_ptr<shared_result<brought>> program_;
};

} // namespace brood::detail
