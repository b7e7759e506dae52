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

/// What ended a command did not end its worker: how that did is unknown.
inline exit_status of_unknown_end(exit_status status)
{
    status.code = status.signal = 0;
    status.core_dumped = false;
    status.lost = true;
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

        void come() override { has_come = true; }

        launched_exit ended(const exit_status& status, std::string_view) override
        {
            using tells = launcher_capabilities::status;
            auto tells_nothing = options.exit_status == tells::none ||
                                 (options.exit_status == tells::shell128 && status.signal != 0);
            if (has_come && tells_nothing)
                return {of_unknown_end(status), exit_exactness::none, {}};
            if (options.exit_status == tells::shell128)
                return {without_shell(status), exit_exactness::shell128, {}};
            return {status, exit_exactness::exact, {}};
        }

        command_options options;
        bool has_come = false;
    };

    std::shared_ptr<far_place> choose(const launch_request&) override
    {
        return std::make_shared<anywhere>(options());
    }
};

} // namespace brood::detail
