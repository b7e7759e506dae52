// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/base/internal/deadline.hpp>
#include <brood/process/internal/far_child.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/remote/command_options.hpp>
#include <brood/remote/detail/bootstrap.hpp>
#include <brood/remote/detail/build_id.hpp>
#include <brood/remote/detail/far_request.hpp>
#include <brood/remote/detail/kept_errors.hpp>
#include <brood/remote/detail/launcher_input.hpp>
#include <brood/remote/detail/private_network.hpp>
#include <brood/remote/detail/rendezvous.hpp>
#include <brood/remote/detail/tls.hpp>
#include <brood/remote/launched_exit.hpp>
#include <brood/wire/internal/far_channel.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::detail
{

/// One place of a launcher, taken for one worker. Its end gives the place back.
class far_place
{
public:
    virtual ~far_place() = default;

    /// For people: "ssh n1".
    virtual std::string name() const = 0;

    /// The machine, as its launcher knows it; empty when it does not.
    virtual std::string host() const { return {}; }

    /// Where the worker runs: there, or where it says itself, once it has come.
    std::string where() const
    {
        auto known = host();
        return known.empty() ? said_ : known;
    }

    /// The worker says where it runs.
    void hear_host(const std::string& name) { said_ = name; }

    /// Whether what the command prints to its stderr says how the worker ended.
    virtual bool hears_errors() const { return false; }

    /// Where the worker goes, when the primary listens there.
    virtual std::vector<std::string> reached_by(const std::vector<std::string>& endpoints) = 0;

    /// What is started there; what else it needs is added to the options.
    virtual launch_command command(const worker_program& program, spawn_options& options) = 0;

    /// The command runs on this loop.
    virtual void started(const asio::any_io_executor&) {}

    /// Waits until nothing but the worker itself is waited for.
    virtual task<> under_way() { co_return; }

    /// The worker has come.
    virtual void come() {}

    /// The command has ended, and printed this last, if that is heard: how the worker did, for all
    /// that it says.
    virtual launched_exit ended(const exit_status& status, std::string_view err) = 0;

private:
    std::string said_;
};

/// Starts workers by commands. Where, and by which, others say.
class far_launcher : public brood::launcher
{
public:
    explicit far_launcher(command_options options) : options_(std::move(options))
    {
        check_encryption('\'' + options_.name + '\'', options_.listen_on, options_.encrypt);
        if (options_.encrypt.value_or(false))
            identity_ = tls_identity::make();
    }

    std::string name() const override { return options_.name; }

    launcher_capabilities capabilities() const noexcept override
    {
        launcher_capabilities result;
        result.exit_status = options_.exit_status;
        result.descriptors = result.shared_memory = false;
        return result;
    }

    std::size_t workers() const override { return options_.workers; }

    std::chrono::milliseconds orphan_grace() const override { return options_.orphan_grace; }

    forked_process launch(asio::any_io_executor executor, const launch_request& wanted) override
    {
        refuse_what_stays_here(wanted);
        bootstrap told;
        told.shared = random_secret();
        told.within = options_.join_within;
        told.grace = options_.orphan_grace;
        if (identity_)
            told.certificate = identity_->mark();
        told.epoch = ++epoch_;
        told.worker = worker_of(wanted);
        auto place = choose(wanted);
        auto called = told.worker.empty() ? "a process" : "worker " + told.worker;
        far_channel leads(executor, descriptor(), called + " of " + place->name(),
                          wanted.options.channel);
        auto to = leads.link();
        auto input = std::make_shared<launcher_input>();
        auto meeting = meeting_on(executor);
        told.endpoints = meeting->expect(guest_for(wanted, told, to, input, place));
        told.endpoints = place->reached_by(told.endpoints);
        auto started =
            start(executor, wanted, std::move(leads), input, *meeting, told.shared, place);
        input->write(to_line(told));
        asio::co_spawn(executor, expect(meeting, place, told, to), asio::detached);
        asio::co_spawn(executor, close_behind(to), asio::detached);
        return started;
    }

protected:
    const command_options& options() const noexcept { return options_; }

    /// Takes a place. Throws spawn_error when there is none.
    virtual std::shared_ptr<far_place> choose(const launch_request& wanted) = 0;

private:
    // This process is known by a name that is another file's elsewhere.
    static std::string path_of(const std::string& program)
    {
        constexpr std::string_view itself = "/proc/self/exe";
        return program == itself ? std::filesystem::read_symlink(program).string() : program;
    }

    std::shared_ptr<rendezvous> meeting_on(const asio::any_io_executor& executor)
    {
        auto meeting = executor == on_ ? meeting_.lock() : nullptr;
        if (!meeting)
            meeting = std::make_shared<rendezvous>(executor, options_.listen_on,
                                                   rendezvous::usual_patience, identity_);
        on_ = executor;
        meeting_ = meeting;
        return meeting;
    }

    guest guest_for(const launch_request& wanted, const bootstrap& told,
                    const std::shared_ptr<link>& to, const std::shared_ptr<launcher_input>& input,
                    const std::shared_ptr<far_place>& place) const
    {
        guest who{told.shared, to, {wanted.entry, told.worker, primary_name()}, {}};
        add_variables(wanted, who.welcome);
        who.refuse = [input, ours = build_for(wanted), place](const far_worker& is)
        {
            input->arrive();
            place->hear_host(is.host);
            place->come();
            return refusal_of_build(is.build, ours, "the program on " + is.host, "copy it there");
        };
        return who;
    }

    forked_process start(const asio::any_io_executor& executor, const launch_request& wanted,
                         far_channel leads, const std::shared_ptr<launcher_input>& input,
                         rendezvous& meeting, const secret& shared,
                         const std::shared_ptr<far_place>& place) const
    {
        auto path = options_.program.empty() ? path_of(wanted.program) : options_.program;
        worker_program program{path, wanted.args, wanted.options.cwd, {}};
        program.variables[elsewhere_variable] = "stdin";
        auto options = wanted.options;
        auto command = place->command(program, options);
        options.cwd.clear();
        options.argv0.clear();
        options.stdin_ = stdio::from(input->take_reading_end());
        if (!options.env)
            options.env.emplace();
        options.env->unset(worker_variable);
        for (auto& [name, value] : command.variables)
            options.env->set(name, value);
        std::map<int, descriptor> ours;
        auto errors = place->hears_errors() ? std::make_shared<kept_errors>(executor, options, ours)
                                            : nullptr;
        auto told = [input, place, errors](const exit_status& status)
        {
            input->close();
            auto said = place->ended(status, errors ? errors->finish() : std::string());
            said.status.why = said.why;
            return said.status;
        };
        far_reach reach;
        reach.signal = [input](int number)
        {
            return input->signal(number);
        };
        reach.told = told;
        reach.host = [place]
        {
            return place->where();
        };
        try
        {
            auto child = start_far_child(executor, command.program, command.args, options,
                                         std::move(leads), std::move(reach), std::move(ours));
            if (errors)
                errors->begin();
            place->started(executor);
            return child;
        }
        catch (...)
        {
            meeting.forget(shared);
            throw;
        }
    }

    // Who ends there lets go of both directions, which a tunnel does not tell: it waits for ours.
    static task<> close_behind(std::shared_ptr<link> who)
    {
        co_await link::disconnected(who);
        who->sending().finish();
    }

    // The secret is good until then.
    static task<> expect(std::shared_ptr<rendezvous> meeting, std::shared_ptr<far_place> place,
                         bootstrap told, std::shared_ptr<link> who)
    {
        co_await place->under_way();
        place = nullptr; // which its process has
        co_await link::disconnected(who, time_from_now(told.within));
        meeting->forget(told.shared);
        if (!who->ended() && !who->may_hear_more())
            who->fail(error(errc::timed_out, "it did not come within " +
                                                 std::to_string(told.within.count()) +
                                                 " ms of its start"));
    }

    command_options options_;
    std::shared_ptr<const tls_identity> identity_; // null for bytes in the clear
    std::uint64_t epoch_ = 0;
    asio::any_io_executor on_;
    std::weak_ptr<rendezvous>
        meeting_; // who expects somebody there holds it, and goes with the loop
};

} // namespace brood::detail
