// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/base/internal/deadline.hpp>
#include <brood/process/internal/far_child.hpp>
#include <brood/remote/detail/build_id.hpp>
#include <brood/remote/detail/door_report.hpp>
#include <brood/remote/detail/far_request.hpp>
#include <brood/remote/detail/meeting_place.hpp>
#include <brood/remote/detail/rendezvous.hpp>
#include <brood/remote/external.hpp>
#include <brood/wire/internal/far_channel.hpp>

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Gives a place to who comes and knows the token. Nothing of this machine stands for a worker but
/// its connection: with that it ends.
class by_external final : public brood::launcher
{
public:
    by_external(std::vector<descriptor> sockets, bool encrypted, const secret& token,
                external_options options)
        : sockets_(std::move(sockets)), token_(token), options_(std::move(options)),
          report_(std::make_shared<door_report>(options_.report)),
          identity_(encrypted ? tls_identity::from(token) : nullptr)
    {
        auto place = place_of(sockets_.front());
        place.encrypted = encrypted;
        name_ = "workers at " + to_string(place);
    }

    std::string name() const override { return name_; }

    launcher_capabilities capabilities() const noexcept override
    {
        launcher_capabilities result;
        result.graceful_signal = result.descriptors = result.shared_memory = result.starts = false;
        result.exit_status = launcher_capabilities::status::none;
        return result;
    }

    std::size_t workers() const override { return options_.workers; }

    std::chrono::milliseconds orphan_grace() const override { return options_.orphan_grace; }

    forked_process launch(asio::any_io_executor executor, const launch_request& wanted) override
    {
        refuse_what_stays_here(wanted);
        auto worker = worker_of(wanted);
        auto called = (worker.empty() ? "a process" : "worker " + worker) + " of " + name_;
        far_channel leads(executor, descriptor(), called, wanted.options.channel);
        auto place = std::make_shared<taken_place>();
        place->to = leads.link();
        auto absent = stand_for_absent(
            executor, name_, wanted.options, std::move(leads),
            [place](int number) { return place->signal(number); }, [place] { return place->host; });
        place->end = std::move(absent.end);
        auto open = open_on(executor);
        open->meeting->expect(guest_for(wanted, worker, place));
        asio::co_spawn(executor, attend(open, place, options_.join_within), asio::detached);
        return std::move(absent.process);
    }

private:
    /// The place of one worker, from when it is free until he has ended.
    struct taken_place
    {
        std::shared_ptr<link> to;
        std::function<void(const exit_status&)> end;
        std::string host; // of him
        bool came = false;

        // Nobody tells him. That he is cut off, and that the wait for him is over, needs nobody.
        bool signal(int number)
        {
            if (number == 0 || (came && number != SIGKILL))
                return number == 0;
            exit_status status;
            status.signal = number;
            to->peer_exited();
            end(status);
            return true;
        }
    };

    /// As long as it lives somebody is expected, or there.
    struct open_door
    {
        std::shared_ptr<rendezvous> meeting;

        explicit open_door(std::shared_ptr<rendezvous> at) : meeting(std::move(at)) {}

        open_door(const open_door&) = delete;
        open_door& operator=(const open_door&) = delete;

        ~open_door() { meeting->close(); }
    };

    std::shared_ptr<open_door> open_on(const asio::any_io_executor& executor)
    {
        auto open = executor == on_ ? open_.lock() : nullptr;
        if (open)
            return open;
        front_door door;
        door.shared = token_;
        door.identity = identity_;
        for (auto& each : sockets_)
            door.sockets.push_back(each.duplicate());
        door.report = [to = report_](const std::string& what)
        {
            (*to)(what);
        };
        open = std::make_shared<open_door>(std::make_shared<rendezvous>(executor, std::move(door)));
        if (!std::exchange(told_, true))
            (*report_)("waits for " + name_ + ", " + std::to_string(options_.workers) + " at most");
        on_ = executor;
        open_ = open;
        return open;
    }

    guest guest_for(const launch_request& wanted, const std::string& worker,
                    const std::shared_ptr<taken_place>& place) const
    {
        auto grace = std::to_string(options_.orphan_grace.count());
        guest who{token_, place->to, {wanted.entry, worker, primary_name(), grace}, {}};
        add_variables(wanted, who.welcome);
        who.refuse = [place, ours = build_for(wanted)](const far_worker& is)
        {
            auto refused = refusal_of_build(is.build, ours,
                                            "the program of process " + is.pid + " on " + is.host,
                                            "start both from one image");
            place->came = refused.empty();
            place->host = is.host;
            return refused;
        };
        return who;
    }

    static task<> attend(std::shared_ptr<open_door> open, std::shared_ptr<taken_place> place,
                         std::optional<std::chrono::milliseconds> within)
    {
        auto until = within ? time_from_now(*within) : deadline();
        co_await link::disconnected(place->to, until);
        open->meeting->forget(place->to);
        if (!place->came && !place->to->ended())
            place->to->fail(error(errc::timed_out, "nobody has come within " +
                                                       std::to_string(within->count()) + " ms"));
        co_await link::disconnected(place->to);
        place->to->sending().finish();
        exit_status unknown;
        unknown.lost = true;
        unknown.why = "its connection ended";
        place->end(unknown);
    }

    std::vector<descriptor> sockets_;
    secret token_;
    external_options options_;
    std::shared_ptr<door_report> report_;
    std::shared_ptr<const tls_identity> identity_; // null in the clear
    std::string name_;
    bool told_ = false;
    asio::any_io_executor on_;
    std::weak_ptr<open_door> open_;
};

} // namespace brood::detail
