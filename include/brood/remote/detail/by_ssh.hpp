// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/spawn_error.hpp>
#include <brood/remote/detail/far_address.hpp>
#include <brood/remote/detail/far_launcher.hpp>
#include <brood/remote/launched_exit.hpp>
#include <brood/remote/placement.hpp>
#include <brood/remote/ssh.hpp>
#include <brood/remote/ssh_command.hpp>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Starts workers over ssh, each by an ssh of its own.
class by_ssh final : public far_launcher
{
public:
    by_ssh(const host_list& hosts, const ssh_settings& settings)
        : far_launcher(options_of(hosts, settings)),
          state_(std::make_shared<state>(hosts, settings))
    {
    }

private:
    using clock = std::chrono::steady_clock;

    struct state
    {
        state(const host_list& list, const ssh_settings& how)
            : hosts(list.hosts()), settings(how), where(places_of(list), how.placement)
        {
        }

        std::vector<remote_host> hosts;
        ssh_settings settings;
        brood::placement where;
        std::optional<std::size_t> last_failed;
    };

    class on_host final : public far_place
    {
    public:
        on_host(std::shared_ptr<state> of, std::size_t host) : of_(std::move(of)), host_(host) {}

        ~on_host() override { give_back(placement::end::never_online); }

        std::string name() const override { return "ssh " + of_->hosts[host_].destination(); }

        // The tunnel ends in a local socket there, which its user alone can open.
        std::vector<std::string> reached_by(const std::vector<std::string>& endpoints) override
        {
            if (!of_->settings.direct.empty())
                return endpoints;
            auto& here = endpoints.front();
            reverse_forward way;
            way.remote_path = "/tmp/brood-" + to_hex(random_secret()).substr(0, 32);
            way.local_port =
                static_cast<std::uint16_t>(std::atoi(here.c_str() + here.rfind(':') + 1));
            way_ = way;
            return {"unix:" + way.remote_path};
        }

        launch_command command(const worker_program& program) override
        {
            return ssh_command(of_->settings.options, of_->hosts[host_], program, {}, way_);
        }

        void come() override
        {
            has_come_ = true;
            of_->where.online(host_);
        }

        exit_status ended(const exit_status& status) override
        {
            auto said = exit_by_ssh(status, {});
            // Of a lost connection, how ssh itself ended is all that is known.
            auto told = said.exactness == exit_exactness::none ? status : said.status;
            auto well = told.success();
            give_back(!has_come_ ? placement::end::never_online
                      : well     ? placement::end::expected
                                 : placement::end::failed);
            return told;
        }

    private:
        void give_back(placement::end how)
        {
            if (!std::exchange(is_taken_, false))
                return;
            if (how != placement::end::expected)
                of_->last_failed = host_;
            of_->where.ended(host_, clock::now(), how);
        }

        std::shared_ptr<state> of_;
        std::size_t host_;
        std::optional<reverse_forward> way_;
        bool has_come_ = false;
        bool is_taken_ = true;
    };

    static std::vector<place> places_of(const host_list& hosts)
    {
        std::vector<place> result;
        for (auto& each : hosts.hosts())
            result.push_back({each.name, each.cpus == 0 ? 1 : each.cpus});
        return result;
    }

    static command_options options_of(const host_list& hosts, const ssh_settings& settings)
    {
        command_options result;
        result.name = "ssh " + to_string(hosts);
        for (auto& each : places_of(hosts))
            result.workers += each.slots;
        result.program = settings.program;
        if (!settings.direct.empty())
            result.listen_on = settings.direct;
        result.encrypt = settings.encrypt;
        result.join_within = settings.join_within;
        result.orphan_grace = settings.orphan_grace;
        return result;
    }

    std::shared_ptr<far_place> choose(const launch_request& wanted) override
    {
        auto last = std::exchange(state_->last_failed, std::nullopt);
        auto host = state_->where.next(clock::now(), last);
        if (!host)
            throw spawn_error(EAGAIN, wanted.program, "placement",
                              "no host of " + name() + " takes another worker just now");
        return std::make_shared<on_host>(state_, *host);
    }

    std::shared_ptr<state> state_;
};

} // namespace brood::detail
