// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/exit_info.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace brood
{

/// Which workers are started again when they end by themselves. The classes of Erlang/OTP:
/// https://www.erlang.org/doc/apps/stdlib/supervisor.html
enum class restart
{
    permanent, ///< Always.
    transient, ///< After a failure only.
    temporary, ///< Never, nor when worker::stop() has ended them.
};

/// How long to wait before a worker that failed is started again.
///
/// The first failure costs `first`; each further one in a row `factor` times more than the one
/// before, from `base` up to `cap`. A worker that was ready and lived for `healthy_after` starts a
/// new row.
struct backoff
{
    std::chrono::milliseconds first{0};
    std::chrono::milliseconds base{100};
    std::chrono::milliseconds cap{30'000};
    double factor = 2;
    double jitter = 0.25; ///< So much shorter or longer by chance, also at the cap, so that workers
                          ///< do not come back in step.
    std::chrono::milliseconds healthy_after{10'000};
    std::chrono::milliseconds short_life{1'000}; ///< One that returned sooner than this waits as if
                                                 ///< it had failed, however well it ended.

    /// The wait after so many failures in a row, with a random number between 0 and 1.
    std::chrono::milliseconds after(unsigned failures, double random) const
    {
        if (failures <= 1)
            return first;
        auto longest = static_cast<double>(cap.count());
        auto wait = static_cast<double>(base.count());
        for (auto growth = std::min(failures - 2, 1000U); growth != 0 && wait < longest; --growth)
            wait *= factor;
        wait = std::min(wait, longest) * (1 + jitter * (2 * random - 1));
        return std::chrono::milliseconds(static_cast<std::int64_t>(wait + 0.5));
    }
};

/// How many failures are borne within how long.
///
/// Time in which a slot had a worker that was never ready does not count for the limit of that
/// slot: workers that each take a minute until they are given up pass it as well. Other failures
/// have to come faster than one in `within` / `failures`, and are borne for ever otherwise: mind
/// the time that a watchdog takes to find a worker that hangs, and a supervisor to stop the others
/// that it restarts. The hole of https://github.com/erlang/otp/pull/1287
struct restart_limit
{
    std::size_t failures = 5;
    std::chrono::milliseconds within{30'000};

    /// Any number, for ever: failures in a row only wait longer and longer. A cluster or supervisor
    /// without a limit has it in `per_slot` and in `per_cluster`.
    static constexpr restart_limit unlimited() noexcept
    {
        return {std::numeric_limits<std::size_t>::max(), std::chrono::milliseconds::max()};
    }

    friend bool operator==(const restart_limit&, const restart_limit&) = default;
};

/// What happens when a limit is passed.
enum class on_limit
{
    fail, ///< The cluster stops, and its exit() throws the story.
    park, ///< The slot stays empty and the others go on. For the cluster's own limit: as fail.
    exit, ///< The cluster stops, tells the story on stderr, and ends this process with a code.
};

/// What to do about a worker that has ended.
struct restart_decision
{
    enum class action
    {
        start, ///< Start its successor, after the wait.
        leave, ///< The slot stays empty, as the policy wants it.
        park,  ///< The slot stays empty, because it failed too often.
        fail,  ///< The cluster ends, because it failed too often.
    };

    action what = action::start;
    std::chrono::milliseconds wait{0};

    friend bool operator==(const restart_decision&, const restart_decision&) = default;
};

/// Failures of the last while, in one slot or in all of a cluster.
class failure_history
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// Adds one, and tells whether that is more than the limit bears. So much of the time before it
    /// does not count.
    bool add(time_point now, const restart_limit& limit, std::chrono::milliseconds excused = {})
    {
        if (limit == restart_limit::unlimited())
            return false; // nothing to remember, for ever
        excused_ += excused;
        auto counted = now - excused_;
        times_.push_back(counted);
        while (std::chrono::ceil<std::chrono::milliseconds>(counted - times_.front()) >
               limit.within)
            times_.pop_front();
        return times_.size() > limit.failures;
    }

    /// Counts a failure after so much time of health, and gives how many there were in a row.
    unsigned add_to_row(std::chrono::milliseconds healthy, const backoff& delay)
    {
        in_a_row_ = healthy >= delay.healthy_after ? 1 : in_a_row_ + 1;
        return in_a_row_;
    }

private:
    std::deque<time_point> times_;
    std::chrono::milliseconds excused_{0};
    unsigned in_a_row_ = 0;
};

/// When a worker is started again, how soon, or never again: a pure function of its end, of what
/// happened before, of the clock and of a random number.
struct restart_policy
{
    restart when = restart::permanent;

    /// Decides in place of `when`, for ends that the cluster did not want.
    std::function<bool(const exit_info&)> only_if = {};

    /// Ends that say nothing about the health of the workers, a call that crashed its worker say:
    /// the successor is started at once, and they count towards no limit.
    std::function<bool(const exit_info&)> excused = {};

    /// Exit codes, 0 to 255, by which a worker says that starting it again is of no use, for
    /// programs that cannot call process::give_up(). Whatever `when` and `only_if` say, its slot
    /// then stays empty, and the others go on. A signal is no code. As WORKER_BOOT_ERROR and
    /// APP_LOAD_ERROR of gunicorn, which ends all then:
    /// https://github.com/benoitc/gunicorn/blob/master/gunicorn/arbiter.py
    std::vector<int> final_codes = {};

    backoff delay = {};
    restart_limit per_slot = {};
    restart_limit per_cluster = {50, std::chrono::milliseconds(30'000)};
    brood::on_limit on_limit = brood::on_limit::fail;
    int exit_code = 1; ///< For on_limit::exit.

    /// The decision about one end. Only failures count, and only they and short lives wait; what
    /// the cluster wanted, and a ready worker that returned, goes on at once.
    restart_decision decide(const exit_info& ended, failure_history& slot, failure_history& cluster,
                            std::chrono::steady_clock::time_point now, double random) const
    {
        using action = restart_decision::action;
        auto never = when == restart::temporary && ended.cause == exit_cause::stopped;
        if (ended.cause == exit_cause::scaled_down || gives_up(ended) || never ||
            (!ended.wanted() && !starts_again(ended)))
            return {action::leave, {}};
        if (excused && !ended.wanted() && excused(ended))
            return {action::start, {}};
        if (!ended.failed())
            return {action::start, wait_after_success(ended, slot)};
        constexpr std::chrono::milliseconds none(0);
        auto healthy = ended.was_ready ? ended.uptime : none;
        auto slot_failed = slot.add(now, per_slot, ended.uptime - healthy);
        auto cluster_failed = cluster.add(now, per_cluster);
        if (cluster_failed || (slot_failed && on_limit != brood::on_limit::park))
            return {action::fail, {}};
        if (slot_failed)
            return {action::park, {}};
        return {action::start, delay.after(slot.add_to_row(healthy, delay), random)};
    }

    /// Whether the worker itself said that starting it again is of no use.
    bool gives_up(const exit_info& ended) const
    {
        auto by_code = ended.cause == exit_cause::exited && ended.status.signal == 0 &&
                       std::find(final_codes.begin(), final_codes.end(), ended.status.code) !=
                           final_codes.end();
        return by_code || ended.cause == exit_cause::gave_up;
    }

    /// Throws std::invalid_argument, with the reason, for what cannot be meant.
    void check() const
    {
        auto refuse = [](const char* why)
        {
            throw std::invalid_argument(std::string("brood: restart policy: ") + why);
        };
        if (delay.first.count() < 0 || delay.base.count() < 0 || delay.cap < delay.base ||
            delay.healthy_after.count() < 0)
            refuse("times must not be negative, nor the cap below the base");
        if (!(delay.factor >= 1) || !(delay.jitter >= 0 && delay.jitter <= 1))
            refuse("the factor is at least 1, and the jitter between 0 and 1");
        if (per_slot.within.count() <= 0 || per_cluster.within.count() <= 0)
            refuse("the time of a limit must be above zero");
        auto is_code = [](int code)
        {
            return code >= 0 && code <= 255;
        };
        if (!is_code(exit_code) || !std::all_of(final_codes.begin(), final_codes.end(), is_code))
            refuse("the exit code of a process is 0 to 255");
    }

private:
    // A life that is short costs no less because it ended well.
    std::chrono::milliseconds wait_after_success(const exit_info& ended,
                                                 failure_history& slot) const
    {
        if (ended.wanted() || ended.uptime >= delay.short_life)
            return std::chrono::milliseconds(0);
        return delay.after(slot.add_to_row(ended.uptime, delay), 0.5);
    }

    bool starts_again(const exit_info& ended) const
    {
        if (only_if)
            return only_if(ended);
        return when == restart::permanent || (when == restart::transient && ended.failed());
    }
};

} // namespace brood
