// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/spawn_error.hpp>
#include <brood/remote/detail/far_launcher.hpp>
#include <brood/remote/detail/held_allocation.hpp>
#include <brood/remote/launched_exit.hpp>
#include <brood/remote/placement.hpp>
#include <brood/remote/slurm.hpp>
#include <brood/remote/slurm_command.hpp>

#include <netdb.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Starts workers by Slurm, each by an srun of its own.
class by_slurm final : public far_launcher
{
public:
    by_slurm(std::shared_ptr<held_allocation> held, const slurm_options& options,
             const slurm_settings& settings)
        : far_launcher(options_of(*held, settings)),
          state_(std::make_shared<state>(std::move(held), options, settings))
    {
    }

private:
    using clock = std::chrono::steady_clock;

    struct state
    {
        state(std::shared_ptr<held_allocation> of, const slurm_options& asked,
              const slurm_settings& how)
            : held(std::move(of)), options(asked), where(places_of(*held), placement_of(asked, how))
        {
            options.cpus_per_task = held->given().cpus_per_task;
        }

        std::shared_ptr<held_allocation> held;
        slurm_options options;
        brood::placement where;
        std::optional<std::size_t> last_failed;
    };

    class on_node final : public far_place
    {
    public:
        on_node(std::shared_ptr<state> of, std::size_t node) : of_(std::move(of)), node_(node) {}

        ~on_node() override { give_back(placement::end::never_online); }

        std::string name() const override { return "slurm " + host(); }

        std::vector<std::string> reached_by(const std::vector<std::string>& endpoints) override
        {
            return endpoints;
        }

        launch_command command(const worker_program& program) override
        {
            return srun_command(of_->options, of_->held->given().job, host(), program);
        }

        void come() override
        {
            has_come_ = true;
            of_->where.online(node_);
        }

        exit_status ended(const exit_status& status) override
        {
            auto said = exit_by_srun(status, {});
            // Of a step that was lost, how srun itself ended is all that is known.
            auto told = said.exactness == exit_exactness::none ? status : said.status;
            auto well = told.success();
            give_back(!has_come_ ? placement::end::never_online
                      : well     ? placement::end::expected
                                 : placement::end::failed);
            return told;
        }

    private:
        const std::string& host() const { return of_->where.places()[node_].host; }

        void give_back(placement::end how)
        {
            if (!std::exchange(is_taken_, false))
                return;
            if (how != placement::end::expected)
                of_->last_failed = node_;
            of_->where.ended(node_, clock::now(), how);
        }

        std::shared_ptr<state> of_;
        std::size_t node_;
        bool has_come_ = false;
        bool is_taken_ = true;
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

    std::shared_ptr<far_place> choose(const launch_request& wanted) override
    {
        auto last = std::exchange(state_->last_failed, std::nullopt);
        auto node = state_->where.next(clock::now(), last);
        if (!node)
            throw spawn_error(EAGAIN, wanted.program, "placement",
                              "no node of " + name() + " takes another worker just now");
        return std::make_shared<on_node>(state_, *node);
    }

    std::shared_ptr<state> state_;
};

} // namespace brood::detail
