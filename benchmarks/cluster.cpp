// SPDX-License-Identifier: BSL-1.0
// A cluster of four workers. `exit`: the median of microseconds from SIGKILL of a worker to the
// event of its exit. `ready`: the same to a successor that is ready. `connections`: how many a
// second the workers accept and close, with a policy. `idle`: milliseconds of processor time that
// 64 workers and their primary use in a second of doing nothing.
//
// usage: cluster exit COUNT | ready COUNT | connections POLICY CLIENT COUNT | idle
#include "measure.hpp"

#include <brood/brood.hpp>

#include <asio/ip/tcp.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

namespace
{

std::vector<std::string> words;

brood::cluster_settings tireless(std::size_t size)
{
    brood::cluster_settings settings;
    settings.size = size;
    settings.restart.delay.base = settings.restart.delay.cap = std::chrono::milliseconds(0);
    settings.restart.per_slot.failures = settings.restart.per_cluster.failures = 1'000'000;
    return settings;
}

brood::task<> wait_for_end(brood::process& self)
{
    self.ready();
    co_await self.shutdown();
}

brood::task<> accept_and_close(brood::process& self)
{
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    auto listener = co_await self.listen(any);
    while (auto connection = co_await listener.accept())
        connection->close();
}

brood::task<> kills(bool until_ready, std::size_t count)
{
    brood::cluster<wait_for_end> workers(tireless(4));
    co_await workers.ready();
    std::vector<double> times;
    while (times.size() < count)
    {
        bench::stopwatch watch;
        workers.workers()[times.size() % 4].kill(SIGKILL);
        co_await workers.exit();
        if (until_ready)
            co_await workers.ready();
        times.push_back(watch.seconds());
        co_await workers.ready();
    }
    std::nth_element(times.begin(), times.begin() + static_cast<long>(count / 2), times.end());
    bench::report(times[count / 2] * 1e6);
    co_await workers.stop();
}

brood::task<> connections(bool round_robin, std::string client, std::string count)
{
    auto settings = tireless(4);
    if (round_robin)
        settings.dispatch = brood::dispatch_policy::round_robin();
    brood::cluster<accept_and_close> workers(settings);
    co_await workers.ready();
    auto port = std::to_string(workers.workers()[0].port());
    brood::spawn_options options;
    auto load = brood::spawn(client, {port, count}, options); // prints the figure
    co_await load.exit();
    co_await workers.stop();
}

std::chrono::milliseconds used_by_all(const brood::cluster_stats& stats)
{
    rusage own{};
    ::getrusage(RUSAGE_SELF, &own);
    std::chrono::milliseconds sum((own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1'000 +
                                  (own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1'000);
    for (auto& each : stats.workers)
        sum += each.processor_time;
    return sum;
}

brood::task<> idle()
{
    brood::cluster<wait_for_end> workers(tireless(64));
    co_await workers.ready();
    co_await brood::sleep(std::chrono::milliseconds(500));
    auto before = used_by_all(workers.stats());
    co_await brood::sleep(std::chrono::seconds(5));
    auto after = used_by_all(workers.stats());
    bench::report(static_cast<double>((after - before).count()) / 5);
    co_await workers.stop();
}

brood::task<> primary()
{
    if (words.at(0) == "idle")
        co_await idle();
    else if (words.at(0) == "connections")
        co_await connections(words.at(1) == "round_robin", words.at(2), words.at(3));
    else
        co_await kills(words.at(0) == "ready", std::stoul(words.at(1)));
}

} // namespace

int main(int argc, char** argv)
{
    words.assign(argv + 1, argv + argc);
    return brood::run(primary);
}
