// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/command_options.hpp>
#include <brood/remote/detail/far_launcher.hpp>

#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::detail
{

/// What a shell says of a program that was ended by a signal, 128 + n, as a signal.
inline exit_status without_shell(exit_status status)
{
    constexpr int above = 128, most = 31;
    if (status.signal == 0 && status.code > above && status.code <= above + most)
        status.signal = std::exchange(status.code, 0) - above;
    return status;
}

/// Starts workers by the command that a user gives.
class by_command final : public far_launcher
{
public:
    using far_launcher::far_launcher;

private:
    struct anywhere final : far_place
    {
        explicit anywhere(const command_options& of) : options(of) {}

        std::string name() const override { return options.name; }

        std::vector<std::string> reached_by(const std::vector<std::string>& endpoints) override
        {
            return options.reached_by ? options.reached_by(endpoints) : endpoints;
        }

        launch_command command(const worker_program& program, spawn_options&) override
        {
            return options.command(program);
        }

        launched_exit ended(const exit_status& status, std::string_view) override
        {
            if (options.exit_status == launcher_capabilities::status::shell128)
                return {without_shell(status), exit_exactness::shell128, {}};
            return {status, exit_exactness::exact, {}};
        }

        command_options options;
    };

    std::shared_ptr<far_place> choose(const launch_request&) override
    {
        return std::make_shared<anywhere>(options());
    }
};

} // namespace brood::detail
