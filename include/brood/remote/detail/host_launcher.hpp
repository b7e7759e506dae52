// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/process/spawn_error.hpp>
#include <brood/remote/detail/far_launcher.hpp>
#include <brood/remote/launched_exit.hpp>
#include <brood/remote/placement.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The starts that are under way on a host: those beyond the limit wait, in their order.
class start_turns
{
public:
    /// 0 is no limit.
    explicit start_turns(std::size_t at_once) : at_once_(at_once) {}

    /// What tells when it is its turn.
    std::shared_ptr<shared_result<bool>> take(const asio::any_io_executor& executor)
    {
        auto turn = std::make_shared<shared_result<bool>>(executor);
        if (at_once_ != 0 && taken_ >= at_once_)
        {
            waiting_.push_back(turn);
            return turn;
        }
        ++taken_;
        turn->set(true);
        return turn;
    }

    /// A start is over: another has its turn.
    void give_back()
    {
        while (!waiting_.empty())
        {
            auto next = std::move(waiting_.front());
            waiting_.pop_front();
            if (!next->loop_has_ended())
                return next->set(true);
        }
        --taken_;
    }

private:
    std::size_t at_once_;
    std::size_t taken_ = 0;
    std::deque<std::shared_ptr<shared_result<bool>>> waiting_;
};

/// Which hosts have which workers, known to a launcher and to the places that it gives.
struct occupancy
{
    occupancy(std::vector<place> places, const placement_options& how)
        : turns(places.size(), start_turns{how.starts_at_once}), tell(how.on_set_aside),
          where(std::move(places), without_turns(how))
    {
    }

    std::vector<start_turns> turns; // of each host
    std::function<void(const host_set_aside&)> tell;

    placement where;
    std::optional<std::size_t> last_failed; // its successor goes elsewhere, if it can

private:
    // A start beyond what a host takes at once waits, and does not fail.
    static placement_options without_turns(placement_options how)
    {
        how.starts_at_once = 0;
        return how;
    }
};

/// A place on one of some hosts. How a worker gets there, and what its command says of its end,
/// others know.
class host_place : public far_place
{
public:
    host_place(std::shared_ptr<occupancy> of, std::size_t host)
        : host_(of->where.places().at(host).host), of_(std::move(of)), index_(host)
    {
    }

    ~host_place() override { give_back(placement::end::never_online); }

    std::string host() const override { return host_; }

    bool hears_errors() const override { return true; }

    void come() override
    {
        if (std::exchange(has_come_, true))
            return;
        of_->where.online(index_);
    }

    launched_exit ended(const exit_status& status, std::string_view err) override
    {
        auto said = why_not_.empty() ? exit_by(status, err)
                                     : launched_exit{status, exit_exactness::none, why_not_};
        // Of a worker that never came, how its command ended is all that there is to know.
        if (said.exactness == exit_exactness::none && !has_come_)
            said.status = status;
        if (!said.why.empty())
            said.why = "host " + host_ + ": " + said.why;
        auto aside = give_back(!has_come_              ? placement::end::never_online
                               : said.status.success() ? placement::end::expected
                                                       : placement::end::failed);
        if (aside)
            said.status.host_set_aside = to_string(*aside);
        return said;
    }

protected:
    bool has_come() const noexcept { return has_come_; }

    start_turns& turns() { return of_->turns.at(index_); }

    /// Its command was never run, and why.
    void cannot_come(std::string why) { why_not_ = std::move(why); }

    /// How the worker ended, by the end of its command and the last that this printed to stderr.
    virtual launched_exit exit_by(const exit_status& status, std::string_view err) const = 0;

private:
    std::optional<host_set_aside> give_back(placement::end how)
    {
        if (!std::exchange(is_taken_, false))
            return std::nullopt;
        if (how != placement::end::expected)
            of_->last_failed = index_;
        auto aside = of_->where.ended(index_, std::chrono::steady_clock::now(), how);
        if (aside && of_->tell)
            of_->tell(*aside);
        return aside;
    }

    std::string host_;
    std::shared_ptr<occupancy> of_;
    std::size_t index_;
    std::string why_not_;
    bool has_come_ = false;
    bool is_taken_ = true;
};

/// Starts workers on some hosts, by a command for each.
class host_launcher : public far_launcher
{
protected:
    host_launcher(command_options options, std::vector<place> places, const placement_options& how)
        : far_launcher(std::move(options)),
          hosts_(std::make_shared<occupancy>(std::move(places), how))
    {
    }

    /// The place that was taken on this host, by its number.
    virtual std::shared_ptr<host_place> place_on(std::shared_ptr<occupancy> hosts,
                                                 std::size_t host) = 0;

private:
    std::shared_ptr<far_place> choose(const launch_request& wanted) final
    {
        auto last = std::exchange(hosts_->last_failed, std::nullopt);
        auto host = hosts_->where.next(std::chrono::steady_clock::now(), last);
        if (!host)
            throw spawn_error(EAGAIN, wanted.program, "placement",
                              "no host of " + name() + " takes another worker just now");
        return place_on(hosts_, *host);
    }

    std::shared_ptr<occupancy> hosts_;
};

} // namespace brood::detail
