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
        one.slot_traffic.open_requests = 6;
        one.slot_traffic.connections = 90;
        one.slot_traffic.open_connections = 8;
        one.slot_traffic.bytes_received = 123'456'789'012;
        one.slot_traffic.bytes_sent = 18'446'744'073'709'551'615U;
        one.history.exits[static_cast<std::size_t>(brood::exit_cause::start_timeout)] = 4;
        one.history.dispatched = 12;
        one.history.ready_times.add(10ms);
        one.history.ready_times.add(700ms);
        one.history.ready_times.add(2min);
        one.draining = slot;
        if (slot == 0)
            one.heartbeat_age = 1'050ms;
        stats.workers.push_back(one);
    }
    stats.draining = 2;
    stats.ports.push_back({"127.0.0.1:8080", 5, 511});
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
    CHECK_THAT(text, of_slot("brood_worker_requests_in_flight", "6"));
    CHECK_THAT(text, of_slot("brood_worker_accepted_connections_total", "90"));
    CHECK_THAT(text, of_slot("brood_worker_connections", "8"));
    CHECK_THAT(text, of_slot("brood_worker_received_bytes_total", "123456789012"));
    CHECK_THAT(text, of_slot("brood_worker_sent_bytes_total", "18446744073709551615"));
    CHECK_THAT(text, ContainsSubstring("# TYPE brood_worker_requests_total counter\n"));
    CHECK_THAT(text, ContainsSubstring("# TYPE brood_worker_connections gauge\n"));
}

TEST_CASE("why workers ended is told by slot and cause", "[prometheus]")
{
    auto text = prometheus_text(example(), "web");
    auto ended = [](std::string cause, std::string count)
    {
        return ContainsSubstring("brood_worker_exits_total{cluster=\"web\",slot=\"1\",cause=\"" +
                                 cause + "\"} " + count + '\n');
    };

    CHECK_THAT(text, ended("start_timeout", "4"));
    CHECK_THAT(text, ended("out_of_memory", "0"));
    CHECK_THAT(text, ended("stopped", "0"));
}

TEST_CASE("times are histograms, whose classes are counted up and end with all", "[prometheus]")
{
    auto text = prometheus_text(example(), "web");
    std::string name = "brood_worker_ready_seconds";
    std::string labels = "{cluster=\"web\",slot=\"0\"";
    auto bucket = [&](std::string bound, std::string count)
    {
        return ContainsSubstring(name + "_bucket" + labels + ",le=\"" + bound + "\"} " + count +
                                 '\n');
    };

    CHECK_THAT(text, ContainsSubstring("# TYPE brood_worker_ready_seconds histogram\n"));
    CHECK_THAT(text, bucket("0.005", "0"));
    CHECK_THAT(text, bucket("0.01", "1"));
    CHECK_THAT(text, bucket("0.5", "1"));
    CHECK_THAT(text, bucket("1", "2"));
    CHECK_THAT(text, bucket("60", "2"));
    CHECK_THAT(text, bucket("+Inf", "3"));
    CHECK_THAT(text, ContainsSubstring(name + "_sum" + labels + "} 120.710\n"));
    CHECK_THAT(text, ContainsSubstring(name + "_count" + labels + "} 3\n"));
    CHECK_THAT(text, ContainsSubstring("brood_worker_drain_seconds_count" + labels + "} 0\n"));
}

TEST_CASE("what drains, beats, waits and was handed over is told", "[prometheus]")
{
    auto text = prometheus_text(example(), "web");

    CHECK_THAT(text, ContainsSubstring("brood_cluster_draining{cluster=\"web\"} 2\n"));
    CHECK_THAT(text, ContainsSubstring("brood_worker_draining{cluster=\"web\",slot=\"1\"} 1\n"));
    CHECK_THAT(text, ContainsSubstring("# TYPE brood_worker_heartbeat_age_seconds gauge\n"
                                       "brood_worker_heartbeat_age_seconds{cluster=\"web\","
                                       "slot=\"0\"} 1.050\n#"));
    CHECK_THAT(text, ContainsSubstring("brood_worker_dispatched_connections_total{cluster=\"web\","
                                       "slot=\"0\"} 12\n"));
    CHECK_THAT(text, ContainsSubstring("brood_port_waiting_connections{cluster=\"web\","
                                       "address=\"127.0.0.1:8080\"} 5\n"));
    CHECK_THAT(text, ContainsSubstring("brood_port_backlog{cluster=\"web\","
                                       "address=\"127.0.0.1:8080\"} 511\n"));
}

TEST_CASE("children of a supervisor are told by their names", "[prometheus]")
{
    brood::supervisor_stats stats;
    stats.uptime = 61'007ms;
    stats.starts = 5;
    stats.children = {{"store", brood::child_state::ready, 2, 1, example().workers[0]},
                      {"front", brood::child_state::stopped, 7, 0, {}}};
    auto text = prometheus_text(stats, "tree");

    CHECK_THAT(text, ContainsSubstring("brood_supervisor_uptime_seconds{supervisor=\"tree\"} "
                                       "61.007\n"));
    CHECK_THAT(text, ContainsSubstring("brood_supervisor_ready{supervisor=\"tree\"} 1\n"));
    CHECK_THAT(text, ContainsSubstring(
                         "# TYPE brood_child_starts_total counter\n"
                         "brood_child_starts_total{supervisor=\"tree\",child=\"store\"} 2\n"
                         "brood_child_starts_total{supervisor=\"tree\",child=\"front\"} 7\n"));
    CHECK_THAT(text,
               ContainsSubstring("brood_child_ready{supervisor=\"tree\",child=\"store\"} 1\n"
                                 "brood_child_ready{supervisor=\"tree\",child=\"front\"} 0\n"));
    CHECK_THAT(text, ContainsSubstring("brood_child_resident_memory_bytes{supervisor=\"tree\","
                                       "child=\"store\"} 4096\n#"));
    CHECK_THAT(text, !ContainsSubstring("brood_worker_"));
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
        for (std::string part : {"_bucket", "_sum", "_count"})
            if (name == help + part)
                name = help;
        CHECK(name == help);
        CHECK(name == type);
        CHECK(std::stod(line.substr(line.rfind(' '))) >= 0);
    }
    CHECK(metrics == 28);
    CHECK(prometheus_text(example()).back() == '\n');
}

TEST_CASE("a name with special characters stays one label", "[prometheus]")
{
    CHECK_THAT(prometheus_text(cluster_stats(), "a\"b\\c\nd"),
               ContainsSubstring("brood_cluster_slots{cluster=\"a\\\"b\\\\c\\nd\"} 0\n"));
}

TEST_CASE("the host of a worker elsewhere is a series of its own", "[prometheus]")
{
    auto stats = example();
    CHECK_THAT(prometheus_text(stats), !ContainsSubstring("host"));
    stats.workers[1].host = "n\"3";
    auto text = prometheus_text(stats, "web");
    CHECK_THAT(text, ContainsSubstring("# TYPE brood_worker_host_info gauge\n"
                                       "brood_worker_host_info{cluster=\"web\",slot=\"1\","
                                       "host=\"n\\\"3\"} 1\n#"));
}
