// SPDX-License-Identifier: BSL-1.0
#include <brood/metrics/prometheus.hpp>

#include "support/catch.hpp"

#include <sstream>
#include <string>

using namespace std::chrono_literals;
using brood::cluster_stats;
using brood::prometheus_text;
using brood::worker_stats;
using Catch::Matchers::ContainsSubstring;

namespace
{

cluster_stats example()
{
    cluster_stats stats;
    stats.uptime = 61'007ms;
    stats.starts = 5;
    stats.exits = 3;
    stats.failures = 1;
    for (std::size_t slot = 0; slot < 2; ++slot)
    {
        worker_stats one;
        one.slot = slot;
        one.pid = 4711;
        one.state = slot == 0 ? brood::worker_state::ready : brood::worker_state::draining;
        one.memory = 4096;
        one.starts = slot + 2;
        one.traffic.requests = 3;
        one.slot_traffic.requests = 1000 + slot;
        one.slot_traffic.failed_requests = 7;
        one.slot_traffic.connections = 90;
        one.slot_traffic.open_connections = 8;
        one.slot_traffic.bytes_received = 123'456'789'012;
        one.slot_traffic.bytes_sent = 18'446'744'073'709'551'615U;
        stats.workers.push_back(one);
    }
    return stats;
}

} // namespace

TEST_CASE("figures are told by slot, in base units, and counters end in total", "[prometheus]")
{
    auto text = prometheus_text(example(), "web");

    CHECK_THAT(text, ContainsSubstring("# TYPE brood_cluster_starts_total counter\n"
                                       "brood_cluster_starts_total{cluster=\"web\"} 5\n"));
    CHECK_THAT(text, ContainsSubstring("brood_cluster_uptime_seconds{cluster=\"web\"} 61.007\n"));
    CHECK_THAT(text, ContainsSubstring("brood_cluster_ready{cluster=\"web\"} 1\n"));
    CHECK_THAT(text, ContainsSubstring("brood_worker_ready{cluster=\"web\",slot=\"0\"} 1\n"
                                       "brood_worker_ready{cluster=\"web\",slot=\"1\"} 0\n"));
    CHECK_THAT(text, ContainsSubstring(
                         "brood_worker_resident_memory_bytes{cluster=\"web\",slot=\"1\"} 4096\n"));
    CHECK_THAT(text, !ContainsSubstring("4711"));
}

TEST_CASE("what workers served is told by slot, over all workers that it has had", "[prometheus]")
{
    auto text = prometheus_text(example(), "web");
    auto of_slot = [](std::string name, std::string value)
    {
        return ContainsSubstring(name + "{cluster=\"web\",slot=\"1\"} " + value + '\n');
    };

    CHECK_THAT(text, of_slot("brood_worker_requests_total", "1001"));
    CHECK_THAT(text, of_slot("brood_worker_failed_requests_total", "7"));
    CHECK_THAT(text, of_slot("brood_worker_accepted_connections_total", "90"));
    CHECK_THAT(text, of_slot("brood_worker_connections", "8"));
    CHECK_THAT(text, of_slot("brood_worker_received_bytes_total", "123456789012"));
    CHECK_THAT(text, of_slot("brood_worker_sent_bytes_total", "18446744073709551615"));
    CHECK_THAT(text, ContainsSubstring("# TYPE brood_worker_requests_total counter\n"));
    CHECK_THAT(text, ContainsSubstring("# TYPE brood_worker_connections gauge\n"));
}

TEST_CASE("every metric has one help, one type and its samples, and the text ends with a line",
          "[prometheus]")
{
    std::istringstream text(prometheus_text(example()));
    std::string line, help, type;
    int metrics = 0;
    while (std::getline(text, line))
    {
        REQUIRE(!line.empty());
        std::istringstream words(line);
        std::string hash, what, name;
        if (line.front() == '#')
        {
            words >> hash >> what >> name;
            (what == "HELP" ? help : type) = name;
            metrics += what == "TYPE";
            continue;
        }
        name = line.substr(0, line.find('{'));
        CHECK(name == help);
        CHECK(name == type);
        CHECK(std::stod(line.substr(line.rfind(' '))) >= 0);
    }
    CHECK(metrics == 18);
    CHECK(prometheus_text(example()).back() == '\n');
}

TEST_CASE("a name with special characters stays one label", "[prometheus]")
{
    CHECK_THAT(prometheus_text({}, "a\"b\\c\nd"),
               ContainsSubstring("brood_cluster_slots{cluster=\"a\\\"b\\\\c\\nd\"} 0\n"));
}
