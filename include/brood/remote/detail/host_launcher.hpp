// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/spawn_error.hpp>
#include <brood/remote/detail/far_launcher.hpp>
#include <brood/remote/launched_exit.hpp>
#include <brood/remote/placement.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Which hosts have which workers, known to a launcher and to the places that it gives.
struct occupancy
{
    occupancy(std::vector<place> places, const placement_options& how)
        : where(std::move(places), how)
    {
    }

    placement where;
    std::optional<std::size_t> last_failed; // its successor goes elsewhere, if it can
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
        auto said = exit_by(status, err);
        // Of a worker that was lost, how its command ended is all that is known.
        if (said.exactness == exit_exactness::none)
            said.status = status;
        if (!said.why.empty())
            said.why = "host " + host_ + ": " + said.why;
        give_back(!has_come_              ? placement::end::never_online
                  : said.status.success() ? placement::end::expected
                                          : placement::end::failed);
        return said;
    }

protected:
    bool has_come() const noexcept { return has_come_; }

    /// How the worker ended, by the end of its command and the last that this printed to stderr.
    virtual launched_exit exit_by(const exit_status& status, std::string_view err) const = 0;

private:
    void give_back(placement::end how)
    {
        if (!std::exchange(is_taken_, false))
            return;
        if (how != placement::end::expected)
            of_->last_failed = index_;
        of_->where.ended(index_, std::chrono::steady_clock::now(), how);
    }

    std::string host_;
    std::shared_ptr<occupancy> of_;
    std::size_t index_;
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
