// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/process/arguments.hpp>
#include <brood/process/detail/child_process_core.hpp>
#include <brood/process/detail/command_line.hpp>
#include <brood/process/detail/launcher.hpp>
#include <brood/process/detail/open_file.hpp>
#include <brood/process/detail/own_children.hpp>
#include <brood/process/detail/standard_streams.hpp>
#include <brood/process/detail/start_advice.hpp>
#include <brood/process/detail/stopping.hpp>
#include <brood/process/internal/pipe_ends.hpp>
#include <brood/process/spawn_error.hpp>
#include <brood/process/spawn_options.hpp>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Works out a start: what the child is given, and what stays here of it. Refuses what cannot be
/// right before there is a child.
class starting
{
public:
    /// `title` is what errors call it.
    starting(asio::any_io_executor executor, const std::string& program, const arguments& args,
             const spawn_options& options, const std::string& title)
        : program_(program), title_(title), options_(options)
    {
        check_options();
        set_arguments(args);
        set_environment();
        plan_.cwd = checked("cwd", options.cwd);
        plan_.group = options.group;
        set_ids();
        for (auto& [resource, value] : options.limits)
            plan_.limits.push_back({resource, value});
        plan_.die_with_parent = options.die_with_parent;
        // All that may fail here does before there is a child.
        state_ = std::make_shared<child_process_core>(std::move(executor), program, options);
        loop_children::of(state_->executor);
        set_descriptors();
        asio::steady_timer first_use(state_->executor); // which makes the loop's epoll set
    }

    /// Starts it; nobody watches over it yet.
    std::shared_ptr<child_process_core> start()
    {
        plan_.prepare();
        auto birth = own_children::starting();
        auto child = launch(plan_);
        if (auto reason = child.failure.error_number; reason != 0)
            refuse(name_of(child.failure.step), subject_of(child.failure.step), reason);
        state_->process.adopt(std::move(child));
        auto what = plan_.group.what();
        own_children::add(state_->process.pid(),
                          what == process_group::kind::new_session ||
                              (what == process_group::kind::join && plan_.group.leader() == 0));
        loop_children::of(state_->executor).add(*state_);
        return std::move(state_);
    }

private:
    [[noreturn]] void refuse(std::string step, std::string_view why, int error_number = EINVAL)
    {
        auto advice = step == "exec" ? advice_for_exec(error_number, program_, path_, options_.cwd)
                                     : advice_for(step, error_number);
        throw spawn_error(error_number, program_, std::move(step), why, title_, advice);
    }

    void check_options()
    {
        if (options_.timeout && options_.timeout->count() < 0)
            refuse("timeout", "below zero");
        if (options_.group.leader() < 0)
            refuse("group", "below zero");
        // -1 tells setresuid(2) to change nothing.
        if (options_.uid == static_cast<uid_t>(-1) || options_.gid == static_cast<gid_t>(-1))
            refuse("ids", "-1 is no id");
        for (auto& [resource, value] : options_.limits)
            if (value.rlim_cur > value.rlim_max)
                refuse("limits", "the soft one is above the hard one");
    }

    std::string checked(const char* step, const std::string& text)
    {
        if (text.find('\0') != std::string::npos)
            refuse(step, "with a zero byte");
        return text;
    }

    void set_arguments(const arguments& args)
    {
        if (program_.empty())
            refuse("arguments", "without a program");
        checked("arguments", program_);
        plan_.argv.reserve(args.list().size() + 1);
        plan_.argv.push_back(
            checked("arguments", options_.argv0.empty() ? program_ : options_.argv0));
        for (auto& each : args.list())
            plan_.argv.push_back(checked("arguments", each));
    }

    void set_environment()
    {
        std::optional<environment> ours;
        auto& variables = options_.env ? *options_.env : ours.emplace();
        plan_.env = variables.lines();
        if (program_.find('/') != std::string::npos)
            plan_.candidates.push_back(program_);
        else
            search(path_ = variables.get("PATH").value_or("/usr/local/bin:/usr/bin:/bin"));
    }

    // execvp(3) would search the PATH of this process.
    void search(std::string_view path)
    {
        for (;;)
        {
            auto end = path.find(':');
            auto folder = path.substr(0, end);
            plan_.candidates.push_back(std::string(folder.empty() ? "." : folder) + '/' + program_);
            if (end == std::string_view::npos)
                return;
            path.remove_prefix(end + 1);
        }
    }

    void set_ids()
    {
        plan_.uid = options_.uid;
        plan_.gid = options_.gid;
        plan_.groups = options_.groups;
        // Who changes nothing needs no privileges, and keeps what it has.
        auto changes = plan_.uid.value_or(::geteuid()) != ::geteuid() ||
                       plan_.gid.value_or(::getegid()) != ::getegid();
        if (!plan_.groups && (plan_.uid || plan_.gid) && (changes || ::geteuid() == 0))
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
                refuse("stdio", "descriptors begin at 3; use stdin_, stdout_ and stderr_");
            set_descriptor(number, leads);
        }
    }

    void set_descriptor(int number, const stdio& leads)
    {
        switch (leads.what())
        {
        case stdio::kind::inherit:
            return give_open(number, number);
        case stdio::kind::ignore:
            return give(number, open(number, "/dev/null", O_RDWR));
        case stdio::kind::pipe:
            return number == 0 ? give_pipe_to_child(number) : give_pipe(number);
        case stdio::kind::pipe_to_child:
            return give_pipe_to_child(number);
        case stdio::kind::duplex:
            return give_duplex(number);
        case stdio::kind::file:
            return give(number, open(number, checked("stdio", leads.path()), leads.flags()));
        case stdio::kind::descriptor:
            return give_open(number, leads.number(), leads.is_owned());
        case stdio::kind::same_as_stdout:
            if (number < 2)
                refuse("stdio", "only stderr and further descriptors can lead where stdout does");
            plan_.moves.push_back(plan_.moves[1]);
            plan_.moves.back().target = number;
            return;
        }
    }

    // A standard stream that is closed here would be the first file that the child opens.
    void give_open(int number, int source, bool given = false)
    {
        if (auto mode = ::fcntl(source, F_GETFL); mode != -1)
            give_shared(number, source, mode, given);
        else if (number < 3 && number == source)
            give(number, open(number, "/dev/null", O_RDWR));
        else
            refuse("stdio", "descriptor " + std::to_string(source), EBADF);
    }

    // A program does not expect EAGAIN from its standard streams; who reads and writes here relies
    // on it. What can be opened once more is, and has then a mode of its own. A socket cannot: it
    // keeps its mode while this process has it.
    void give_shared(int number, int source, int mode, bool given)
    {
        auto need_not_wait = number < 3 && (mode & O_NONBLOCK) != 0;
        if (auto own = need_not_wait ? open_again(source, mode) : descriptor())
            return give(number, std::move(own));
        auto keeps_mode = need_not_wait && is_socket_of_ours(source, given);
        plan_.moves.push_back({source, number, keeps_mode});
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
            refuse("stdio", "'" + path + "' as descriptor " + std::to_string(number), errno);
        return opened;
    }

    pipe_ends open_pipe()
    {
        pipe_ends ends;
        if (!ends.open())
            refuse("stdio", "pipe", errno);
        return ends;
    }

    void give_pipe(int number)
    {
        auto ends = open_pipe();
        state_->outputs.try_emplace(number, state_->executor, std::move(ends.reading));
        give(number, std::move(ends.writing));
    }

    void give_pipe_to_child(int number)
    {
        auto ends = open_pipe();
        state_->inputs.try_emplace(number, state_->executor, std::move(ends.writing));
        give(number, std::move(ends.reading));
    }

    void give_duplex(int number)
    {
        pipe_ends ends;
        if (!ends.open_duplex())
            refuse("stdio", "socket pair", errno);
        auto [output, added] =
            state_->outputs.try_emplace(number, state_->executor, std::move(ends.reading));
        state_->inputs.try_emplace(number, output->second);
        give(number, std::move(ends.writing));
    }

    static std::string name_of(launch_step step)
    {
        switch (step)
        {
        case launch_step::fork:
            return "fork";
        case launch_step::session:
            return "session";
        case launch_step::group:
            return "group";
        case launch_step::descriptors:
            return "descriptors";
        case launch_step::limits:
            return "limits";
        case launch_step::cwd:
            return "cwd";
        case launch_step::ids:
            return "ids";
        case launch_step::exec:
            return "exec";
        }
        return "start";
    }

    std::string subject_of(launch_step step) const
    {
        return step == launch_step::cwd ? "'" + options_.cwd + "'" : std::string();
    }

    const std::string& program_;
    const std::string& title_;
    const spawn_options& options_;
    std::string path_; // in which it is looked for
    launch_plan plan_;
    std::shared_ptr<child_process_core> state_;
    std::vector<descriptor> given_; // closed here once the child has them
};

/// Starts a program, which errors call by this title. Nobody watches over it yet.
inline std::shared_ptr<child_process_core> start(asio::any_io_executor executor,
                                                 const std::string& program, const arguments& args,
                                                 const spawn_options& options,
                                                 const std::string& title)
{
    detached_children::collect_ended();
    open_standard_streams();
    auto name = beginning_of(title);
    try
    {
        return starting(std::move(executor), program, args, options, name).start();
    }
    catch (const spawn_error&)
    {
        throw;
    }
    catch (const std::system_error& refused)
    {
        auto reason = refused.code().value();
        throw spawn_error(reason, program, "loop", {}, name, advice_for("loop", reason));
    }
}

/// The same by its name and arguments.
inline std::shared_ptr<child_process_core> start(asio::any_io_executor executor,
                                                 const std::string& program, const arguments& args,
                                                 const spawn_options& options)
{
    return start(std::move(executor), program, args, options, command_line(program, args));
}

/// From here on its end is noticed, and its time is over when the options say so.
inline void begin_watch(const std::shared_ptr<child_process_core>& child,
                        const spawn_options& options)
{
    asio::co_spawn(child->executor, watch(child), asio::detached);
    if (options.timeout)
        asio::co_spawn(child->executor, stop_after(child, *options.timeout), asio::detached);
}

} // namespace brood::detail
