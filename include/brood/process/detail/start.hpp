// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/arguments.hpp>
#include <brood/process/detail/child_state.hpp>
#include <brood/process/detail/launcher.hpp>
#include <brood/process/spawn_error.hpp>
#include <brood/process/spawn_options.hpp>

#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Works out a start: what the child is given, and what stays here of it.
class starting
{
public:
    starting(asio::any_io_executor executor, std::string program, const arguments& args,
             const spawn_options& options)
        : executor_(std::move(executor)), program_(std::move(program)), options_(options)
    {
        set_arguments(args);
        set_environment();
        plan_.cwd = checked(options_.cwd);
        plan_.new_session = options_.new_session;
        plan_.process_group = options_.process_group;
        set_ids();
        for (auto& [resource, value] : options_.limits)
            plan_.limits.push_back({resource, value});
        plan_.parent_death_signal = options_.parent_death_signal;
        set_descriptors();
    }

    /// Starts it; the watch over it begins.
    std::shared_ptr<child_state> start()
    {
        plan_.prepare();
        auto child = launch(plan_);
        if (child.failure.error_number != 0)
            throw spawn_error(child.failure.error_number, program_, name_of(child.failure.step));
        auto state = std::make_shared<child_state>(executor_, std::move(child), program_);
        if (input_)
            state->input.emplace(executor_, std::move(input_));
        for (auto& [number, end] : outputs_)
            state->outputs.try_emplace(number, executor_, std::move(end));
        state->stop = options_.stop;
        state->on_drop = options_.on_drop;
        return state;
    }

private:
    std::string checked(const std::string& text) const
    {
        if (text.find('\0') != std::string::npos)
            throw spawn_error(EINVAL, program_, "arguments: a zero byte in a text");
        return text;
    }

    void set_arguments(const arguments& args)
    {
        if (program_.empty())
            throw spawn_error(EINVAL, program_, "arguments: no program");
        plan_.argv.push_back(checked(options_.argv0.empty() ? program_ : options_.argv0));
        for (auto& each : args.list())
            plan_.argv.push_back(checked(each));
    }

    void set_environment()
    {
        auto variables = options_.env ? *options_.env : environment();
        plan_.env = variables.lines();
        checked(program_);
        if (program_.find('/') != std::string::npos)
        {
            plan_.candidates.push_back(program_);
            return;
        }
        auto path = variables.get("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
        for (std::string_view rest = path;;)
        {
            auto end = rest.find(':');
            auto folder = rest.substr(0, end);
            plan_.candidates.push_back(std::string(folder.empty() ? "." : folder) + '/' + program_);
            if (end == std::string_view::npos)
                break;
            rest.remove_prefix(end + 1);
        }
    }

    void set_ids()
    {
        plan_.uid = options_.uid;
        plan_.gid = options_.gid;
        plan_.groups = options_.groups;
        if (!plan_.groups && (plan_.uid || plan_.gid) && ::geteuid() == 0)
            plan_.groups.emplace();
    }

    void set_descriptors()
    {
        set_descriptor(0, options_.stdin_);
        set_descriptor(1, options_.stdout_);
        set_descriptor(2, options_.stderr_);
        for (auto& [number, leads] : options_.descriptors)
        {
            if (number < 3)
                throw spawn_error(EINVAL, program_,
                                  "stdio: descriptors begin at 3; use stdin_, "
                                  "stdout_ and stderr_ for the others");
            set_descriptor(number, leads);
        }
    }

    void set_descriptor(int number, const stdio& leads)
    {
        switch (leads.what())
        {
        case stdio::kind::inherit:
            inherit(number, number);
            break;
        case stdio::kind::ignore:
            give(number, open(number, "/dev/null", O_RDWR));
            break;
        case stdio::kind::pipe:
            give_pipe(number);
            break;
        case stdio::kind::file:
            give(number, open(number, checked(leads.path()), leads.flags()));
            break;
        case stdio::kind::descriptor:
            inherit(number, leads.number());
            break;
        case stdio::kind::same_as_stdout:
            if (number == 1)
                throw spawn_error(EINVAL, program_, "stdio: stdout cannot lead where stdout leads");
            plan_.moves.push_back({plan_.moves[1].source, number});
            break;
        }
    }

    // A standard stream that is closed here would be the first file that the child opens.
    void inherit(int number, int source)
    {
        if (::fcntl(source, F_GETFD) != -1)
            plan_.moves.push_back({source, number});
        else if (number < 3 && number == source)
            give(number, open(number, "/dev/null", O_RDWR));
        else
            throw spawn_error(EBADF, program_, "stdio: descriptor " + std::to_string(source));
    }

    void give(int number, descriptor given)
    {
        plan_.moves.push_back({given.get(), number});
        given_.push_back(std::move(given));
    }

    descriptor open(int number, const std::string& path, int flags)
    {
        descriptor opened(
            retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0666); }));
        if (!opened)
            throw spawn_error(errno, program_,
                              "stdio: open '" + path + "' as descriptor " + std::to_string(number));
        return opened;
    }

    void give_pipe(int number)
    {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) == -1)
            throw spawn_error(errno, program_, "stdio: pipe");
        descriptor reading(ends[0]), writing(ends[1]);
        if (number == 0)
        {
            input_ = std::move(writing);
            give(number, std::move(reading));
        }
        else
        {
            outputs_.emplace_back(number, std::move(reading));
            give(number, std::move(writing));
        }
    }

    std::string name_of(launch_step step) const
    {
        switch (step)
        {
        case launch_step::fork:
            return "fork";
        case launch_step::session:
            return "session";
        case launch_step::process_group:
            return "process group";
        case launch_step::descriptors:
            return "descriptors";
        case launch_step::limits:
            return "limits";
        case launch_step::cwd:
            return "cwd '" + options_.cwd + "'";
        case launch_step::ids:
            return "ids";
        case launch_step::exec:
            return "exec";
        }
        return "start";
    }

    asio::any_io_executor executor_;
    std::string program_;
    const spawn_options& options_;
    launch_plan plan_;
    std::vector<descriptor> given_; // closed here once the child has them
    descriptor input_;
    std::vector<std::pair<int, descriptor>> outputs_;
};

/// Starts a program. Nobody watches over it yet.
inline std::shared_ptr<child_state> start(asio::any_io_executor executor,
                                          const std::string& program, const arguments& args,
                                          const spawn_options& options)
{
    return starting(std::move(executor), program, args, options).start();
}

/// From here on its end is noticed, and its time is over when the options say so.
inline void begin_watch(const std::shared_ptr<child_state>& child, const spawn_options& options)
{
    asio::co_spawn(child->executor, watch(child), asio::detached);
    if (options.timeout)
        asio::co_spawn(child->executor, stop_after(child, *options.timeout), asio::detached);
}

} // namespace brood::detail
