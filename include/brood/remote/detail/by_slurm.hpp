// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/process/exec.hpp>
#include <brood/remote/detail/held_allocation.hpp>
#include <brood/remote/detail/late_place.hpp>
#include <brood/remote/slurm.hpp>
#include <brood/remote/slurm_command.hpp>

#include <netdb.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Starts workers by Slurm, each by an srun of its own.
class by_slurm final : public host_launcher
{
public:
    by_slurm(std::shared_ptr<held_allocation> held, const slurm_options& options,
             const slurm_settings& settings)
        : host_launcher(options_of(*held, settings), places_of(*held),
                        placement_of(options, settings)),
          job_(std::make_shared<job>())
    {
        job_->held = std::move(held);
        job_->options = options;
        job_->options.cpus_per_task = job_->held->given().cpus_per_task;
        job_->sent_to = settings.sent_to;
    }

private:
    /// What all steps have in common.
    struct job
    {
        std::shared_ptr<held_allocation> held;
        slurm_options options;
        std::string sent_to;
        bool has_program = false;
        std::shared_ptr<shared_result<std::string>> sent; // empty, or why it was not

        const std::string& number() const { return held->given().job; }
    };

    // The first worker sends the program, and all wait for it.
    static task<> send_program(std::shared_ptr<job> of, asio::any_io_executor executor,
                               std::string path)
    {
        if (of->has_program)
            co_return;
        if (!of->sent || of->sent->executor() != executor)
        {
            of->sent = std::make_shared<shared_result<std::string>>(executor);
            asio::co_spawn(executor, copy(of, of->sent, std::move(path)), asio::detached);
        }
        auto waits_for = of->sent;
        auto why_not = co_await waits_for->get();
        if (!why_not.empty())
            throw std::runtime_error(why_not);
    }

    static task<> copy(std::shared_ptr<job> of, std::shared_ptr<shared_result<std::string>> sent,
                       std::string path)
    {
        std::string why_not;
        try
        {
            auto command = sbcast_command(of->number(), path, of->sent_to);
            auto limited = exec_options().timeout(std::chrono::seconds(300));
            auto ran = co_await exec_file(command.program, command.args, limited);
            of->has_program = ran.success();
            if (!ran.success())
                why_not = complaint(ran);
        }
        catch (const std::exception& failed)
        {
            why_not = failed.what();
        }
        of->sent = nullptr; // the next one tries again
        if (!why_not.empty())
            why_not = "sending the program to " + of->sent_to + ": " + why_not;
        sent->set(std::move(why_not));
    }

    static std::string complaint(const exec_result& ran)
    {
        auto why = slurm_failure(ran.status.code, ran.err);
        return why.empty() ? to_string(ran) : why;
    }

    class on_node final : public late_place
    {
    public:
        on_node(std::shared_ptr<occupancy> hosts, std::size_t node, std::shared_ptr<job> of)
            : late_place(std::move(hosts), node), of_(std::move(of))
        {
        }

        std::string name() const override { return "slurm " + host(); }

        std::vector<std::string> reached_by(const std::vector<std::string>& endpoints) override
        {
            return endpoints;
        }

        launch_command command(const worker_program& program, spawn_options& options) override
        {
            check_installed("srun");
            return late_place::command(program, options);
        }

    private:
        task<launch_command> prepare(asio::any_io_executor executor) override
        {
            if (!of_->sent_to.empty())
            {
                co_await send_program(of_, executor, program().path);
                program().path = of_->sent_to;
            }
            co_return step_of(program());
        }

        launch_command step_of(const worker_program& program) const
        {
            return srun_command(of_->options, of_->number(), host(), program);
        }

        launched_exit exit_by(const exit_status& status, std::string_view err) const override
        {
            return exit_by_srun(status, err);
        }

        std::shared_ptr<job> of_;
    };

    static std::vector<place> places_of(const held_allocation& held)
    {
        std::vector<place> result;
        for (auto& node : held.given().nodes)
            result.push_back({node.name, node.tasks});
        return result;
    }

    static placement_options placement_of(const slurm_options& options,
                                          const slurm_settings& settings)
    {
        auto result = settings.placement;
        result.starts_at_once = options.starts_at_once;
        return result;
    }

    static command_options options_of(const held_allocation& held, const slurm_settings& settings)
    {
        command_options result;
        result.name = "slurm " + to_string(held.given());
        result.workers = held.given().workers();
        result.program = settings.program;
        result.listen_on = settings.listen_on.empty() ? own_addresses() : settings.listen_on;
        result.encrypt = settings.encrypt;
        result.exit_status = launcher_capabilities::status::exact;
        result.join_within = settings.join_within;
        result.orphan_grace = settings.orphan_grace;
        return result;
    }

    /// What the name of this machine resolves to, by which Slurm, and so its nodes, know it.
    static std::vector<std::string> own_addresses()
    {
        std::array<char, 256> name{};
        ::gethostname(name.data(), name.size() - 1);
        addrinfo wanted{}, *found = nullptr;
        wanted.ai_socktype = SOCK_STREAM;
        std::vector<std::string> result;
        if (::getaddrinfo(name.data(), nullptr, &wanted, &found) == 0)
        {
            for (auto each = found; each != nullptr; each = each->ai_next)
            {
                std::array<char, NI_MAXHOST> text{};
                if (::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(),
                                  nullptr, 0, NI_NUMERICHOST) == 0)
                    result.emplace_back(text.data());
            }
            ::freeaddrinfo(found);
        }
        return result.empty() ? std::vector<std::string>{"127.0.0.1"} : result;
    }

    std::shared_ptr<host_place> place_on(std::shared_ptr<occupancy> hosts,
                                         std::size_t node) override
    {
        return std::make_shared<on_node>(std::move(hosts), node, job_);
    }

    std::shared_ptr<job> job_;
};

} // namespace brood::detail
