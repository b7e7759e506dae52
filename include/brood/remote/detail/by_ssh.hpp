// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/detail/far_address.hpp>
#include <brood/remote/detail/host_launcher.hpp>
#include <brood/remote/ssh.hpp>
#include <brood/remote/ssh_command.hpp>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Starts workers over ssh, each by an ssh of its own.
class by_ssh final : public host_launcher
{
public:
    by_ssh(const host_list& hosts, const ssh_settings& settings)
        : host_launcher(options_of(hosts, settings), places_of(hosts), settings.placement),
          way_(std::make_shared<way>(way{hosts.hosts(), settings}))
    {
    }

private:
    /// How all of them are reached.
    struct way
    {
        std::vector<remote_host> hosts;
        ssh_settings settings;
    };

    class on_host final : public host_place
    {
    public:
        on_host(std::shared_ptr<occupancy> hosts, std::size_t host, std::shared_ptr<way> by)
            : host_place(std::move(hosts), host), by_(std::move(by)), there_(by_->hosts[host])
        {
        }

        std::string name() const override { return "ssh " + there_.destination(); }

        // The tunnel ends in a local socket there, which its user alone can open.
        std::vector<std::string> reached_by(const std::vector<std::string>& endpoints) override
        {
            if (!by_->settings.direct.empty())
                return endpoints;
            auto& here = endpoints.front();
            reverse_forward back;
            back.remote_path = "/tmp/brood-" + to_hex(random_secret()).substr(0, 32);
            back.local_port =
                static_cast<std::uint16_t>(std::atoi(here.c_str() + here.rfind(':') + 1));
            back_ = back;
            return {"unix:" + back.remote_path};
        }

        launch_command command(const worker_program& program) override
        {
            return ssh_command(by_->settings.options, there_, program, {}, back_);
        }

    private:
        launched_exit exit_by(const exit_status& status, std::string_view err) const override
        {
            // What a worker that ran gave as its code is not what a shell says of a program.
            constexpr int of_ssh = 255;
            return exit_by_ssh(status, has_come() && status.code != of_ssh ? "" : err);
        }

        std::shared_ptr<way> by_;
        const remote_host& there_;
        std::optional<reverse_forward> back_;
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

    std::shared_ptr<host_place> place_on(std::shared_ptr<occupancy> hosts,
                                         std::size_t host) override
    {
        return std::make_shared<on_host>(std::move(hosts), host, way_);
    }

    std::shared_ptr<way> way_;
};

} // namespace brood::detail
