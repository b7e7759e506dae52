// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/remote/detail/control_folder.hpp>
#include <brood/remote/detail/far_address.hpp>
#include <brood/remote/detail/late_place.hpp>
#include <brood/remote/detail/ssh_connections.hpp>
#include <brood/remote/ssh.hpp>
#include <brood/remote/ssh_command.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::detail
{

/// How all workers of a launcher are reached.
class ssh_way
{
public:
    ssh_way(std::vector<remote_host> hosts, ssh_settings settings)
        : hosts_(std::move(hosts)), settings_(std::move(settings)), connections_(hosts_.size())
    {
        if (settings_.options.share_connections)
            folder_ = std::make_shared<control_folder>();
    }

    const ssh_settings& settings() const noexcept { return settings_; }

    const remote_host& host(std::size_t number) const { return hosts_.at(number); }

    /// The connections of this loop to a host.
    std::shared_ptr<ssh_connections> to(std::size_t number, const asio::any_io_executor& executor)
    {
        auto& known = connections_.at(number);
        if (known && known->executor() == executor)
            return known;
        auto options = settings_.options;
        // One worker has nobody to share with.
        options.share_connections = options.share_connections && hosts_[number].cpus > 1;
        known = std::make_shared<ssh_connections>(executor, options, hosts_[number], folder_);
        return known;
    }

    /// What is brought there: read once, as it is the same for all.
    const program_file& program(const std::string& path)
    {
        if (!program_)
            program_ = settings_.program.empty() ? program_file::read(path) : program_file::self();
        if (!settings_.program.empty())
            program_->path = settings_.program;
        return *program_;
    }

private:
    std::vector<remote_host> hosts_;
    ssh_settings settings_;
    std::shared_ptr<control_folder> folder_;
    std::vector<std::shared_ptr<ssh_connections>> connections_;
    std::optional<program_file> program_;
};

/// A worker over ssh: a session on a connection that others share, or one of its own.
class ssh_place final : public late_place
{
public:
    ssh_place(std::shared_ptr<occupancy> hosts, std::size_t host, std::shared_ptr<ssh_way> by)
        : late_place(std::move(hosts), host), by_(std::move(by)), number_(host)
    {
    }

    std::string name() const override { return "ssh " + by_->host(number_).destination(); }

    // The tunnel ends in a local socket there, which its user alone can open.
    std::vector<std::string> reached_by(const std::vector<std::string>& endpoints) override
    {
        if (!by_->settings().direct.empty())
            return endpoints;
        auto& here = endpoints.front();
        reverse_forward back;
        back.remote_path = "/tmp/brood-" + to_hex(random_secret()).substr(0, 32);
        back.local_port = static_cast<std::uint16_t>(std::atoi(here.c_str() + here.rfind(':') + 1));
        back_ = back;
        return {"unix:" + back.remote_path};
    }

    launch_command command(const worker_program& program, spawn_options& options) override
    {
        check_installed(by_->settings().options.program);
        return late_place::command(program, options);
    }

    void come() override
    {
        late_place::come();
        if (seat_)
            seat_->log_in();
        close_way();
    }

    launched_exit ended(const exit_status& status, std::string_view err) override
    {
        close_way();
        seat_ = nullptr;
        return late_place::ended(status, err);
    }

private:
    task<launch_command> prepare(asio::any_io_executor executor) override
    {
        connections_ = by_->to(number_, executor);
        auto seat = co_await ssh_connections::take_seat(connections_);
        if (by_->settings().deploy)
        {
            auto file = by_->program(program().path);
            auto path = co_await ssh_connections::make_ready(connections_, seat, std::move(file),
                                                             *by_->settings().deploy);
            program().path = path;
        }
        auto command = session_on(*seat);
        if (!is_over())
            seat_ = std::move(seat);
        co_return command;
    }

    launch_command session_on(const ssh_connections::seat& seat)
    {
        auto script = sh_text(program());
        // A worker that has come takes its end of the tunnel away; one that cannot does not.
        if (back_)
            script = "trap \"rm -f " + back_->remote_path + "\" EXIT; " + script;
        return ssh_command(by_->settings().options, by_->host(number_), std::string_view(script),
                           seat.path(), back_);
    }

    // With a connection of its own the way ends by itself.
    void close_way()
    {
        if (!back_ || !seat_ || seat_->path().empty())
            return;
        auto way = *std::exchange(back_, std::nullopt);
        asio::co_spawn(connections_->executor(),
                       ssh_connections::close_way(connections_, seat_, std::move(way)),
                       asio::detached);
    }

    launched_exit exit_by(const exit_status& status, std::string_view err) const override
    {
        // What a worker that ran gave as its code is not what a shell says of a program.
        constexpr int of_ssh = 255;
        return exit_by_ssh(status, has_come() && status.code != of_ssh ? "" : err);
    }

    std::shared_ptr<ssh_way> by_;
    std::size_t number_;
    std::shared_ptr<ssh_connections> connections_;
    std::shared_ptr<ssh_connections::seat> seat_;
    std::optional<reverse_forward> back_;
};

/// Starts workers over ssh, each by an ssh of its own. How many each host takes is known.
class by_ssh final : public host_launcher
{
public:
    by_ssh(const host_list& hosts, const ssh_settings& settings)
        : host_launcher(options_of(hosts, settings), places_of(hosts), settings.placement),
          way_(std::make_shared<ssh_way>(hosts.hosts(), settings))
    {
    }

private:
    static std::vector<place> places_of(const host_list& hosts)
    {
        std::vector<place> result;
        for (auto& each : hosts.hosts())
            result.push_back({each.name, each.cpus});
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
        return std::make_shared<ssh_place>(std::move(hosts), host, way_);
    }

    std::shared_ptr<ssh_way> way_;
};

} // namespace brood::detail
