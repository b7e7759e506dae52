// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/detail/core/touch_pace.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using brood::watchdog;
using brood::detail::pace_of;
using brood::detail::touch_pace;
using std::chrono::milliseconds;

namespace
{

struct situation
{
    std::string what;
    milliseconds stale_after, orphan_grace;
    std::size_t workers;
    touch_pace wanted; // every, stale after, grace
};

} // namespace

TEST_CASE("Workers elsewhere are asked more rarely the more there are, and nobody is left sooner",
          "[cluster][elsewhere]")
{
    auto usual = watchdog::usual_stale_after;
    std::vector<situation> situations{
        {"one", usual, 10s, 1, {2s, 10s, 10s}},
        {"as many as cost nothing more", usual, 10s, 100, {2s, 10s, 10s}},
        {"as many as the usual times bear", usual, 10s, 125, {2'500ms, 10s, 10s}},
        {"many", usual, 10s, 1'000, {20s, 80s, 80s}},
        {"many more", usual, 60s, 10'000, {200s, 800s, 800s}},
        {"one watched closely", 1s, 10s, 1, {250ms, 1s, 10s}},
        {"many watched closely", 1s, 10s, 1'000, {250ms, 1s, 10s}},
        {"many with more time", 60s, 10s, 1'000, {15s, 60s, 60s}},
        {"many not watched", 0s, 10s, 1'000, {20s, 0s, 80s}},
        {"one not watched", 0s, 10s, 1, {2s, 0s, 10s}},
        {"one that ends soon", usual, 1s, 1, {250ms, 10s, 1s}},
        {"one that ends at once", usual, 0s, 1, {250ms, 10s, 1s}},
        {"many that end soon", usual, 1s, 1'000, {20s, 80s, 80s}},
        {"one watched without a break", 2ms, 10s, 1, {1ms, 4ms, 10s}}};
    for (auto& each : situations)
    {
        INFO(each.what);
        watchdog settings;
        settings.stale_after = each.stale_after;
        auto pace = pace_of(settings, each.orphan_grace, each.workers);
        CHECK(pace.every == each.wanted.every);
        CHECK(pace.stale_after == each.wanted.stale_after);
        CHECK(pace.grace == each.wanted.grace);
    }
}
