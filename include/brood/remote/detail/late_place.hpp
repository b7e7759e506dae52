// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/remote/detail/host_launcher.hpp>
#include <brood/remote/detail/late_command.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>

namespace brood::detail
{

/// A place on a host where something has to be done before the command of its worker is known: it
/// waits for its turn to start, for a connection, for a copy of the program.
class late_place : public host_place, public std::enable_shared_from_this<late_place>
{
public:
    using host_place::host_place;

    launch_command command(const worker_program& program, spawn_options& options) override
    {
        program_ = program;
        return late_.stand_in(options);
    }

    void started(const asio::any_io_executor& executor) override
    {
        begun_ = std::make_shared<shared_result<bool>>(executor);
        asio::co_spawn(executor, begin(shared_from_this(), executor), asio::detached);
    }

    task<> under_way() override { return until_begun(begun_); }

    ~late_place() override { end_turn(); }

    void come() override
    {
        end_turn();
        host_place::come();
    }

    launched_exit ended(const exit_status& status, std::string_view err) override
    {
        is_over_ = true;
        end_turn();
        return host_place::ended(status, err);
    }

protected:
    /// Does what has to be done, and gives the command. This place lives until then. Throws why it
    /// cannot be.
    virtual task<launch_command> prepare(asio::any_io_executor executor) = 0;

    /// What runs there.
    worker_program& program() noexcept { return program_; }

    /// Whether its process has ended, while it was prepared say.
    bool is_over() const noexcept { return is_over_; }

private:
    static task<> begin(std::shared_ptr<late_place> self, asio::any_io_executor executor)
    {
        constexpr int code = 255; // as ssh
        try
        {
            auto turn = self->turns().take(executor);
            co_await turn->get();
            self->has_turn_ = true;
            auto known = co_await self->prepare(executor);
            self->late_.become(executor, known);
        }
        catch (const std::exception& failed)
        {
            self->cannot_come(failed.what());
            self->late_.give_up(executor, code, self->name() + ": " + failed.what());
        }
        if (self->is_over_)
            self->end_turn();
        self->begun_->set(true);
    }

    static task<> until_begun(std::shared_ptr<shared_result<bool>> begun)
    {
        if (begun)
            co_await begun->get();
    }

    void end_turn()
    {
        if (std::exchange(has_turn_, false))
            turns().give_back();
    }

    worker_program program_;
    late_command late_;
    std::shared_ptr<shared_result<bool>> begun_; // what it is awaited for is over
    bool has_turn_ = false;
    bool is_over_ = false;
};

} // namespace brood::detail
