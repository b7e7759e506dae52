// SPDX-License-Identifier: BSL-1.0
// Every word between a worker and its primary, while messages and requests that nobody takes fill
// the channel in one direction, in the other, or in both.
#include <brood/cluster/cluster.hpp>

#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/within.hpp"

#include <asio/ip/udp.hpp>
#include <asio/read.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using asio::ip::tcp;
using asio::ip::udp;
using brood::cluster;
using brood::dispatch_policy;
using brood::process;
using brood::task;

namespace
{

enum class full
{
    neither = 0,
    to_the_primary = 1,
    to_the_worker = 2,
    both = 3,
};

bool has(full which, full one)
{
    return (static_cast<int>(which) & static_cast<int>(one)) != 0;
}

using calls = std::vector<task<int>>;

/// Sends several times more than the other side may have unread, of messages and of requests.
calls fill(brood::channel& to)
{
    calls pending;
    std::string text(20'000, 'x');
    for (int number = 0; number < 150; ++number)
    {
        to.send(text);
        pending.push_back(to.call<int>(text, patient(300s)));
    }
    return pending;
}

constexpr char port_please = 'p', recycle = 'r', give_up = 'g', count_please = 'c';

/// Does what each connection asks for with one letter, and counts the datagrams that come.
struct obedient
{
    obedient(process& self_, brood::listener& connections_, udp::socket& datagrams_)
        : self(self_), connections(connections_), datagrams(datagrams_)
    {
    }

    process& self;
    brood::listener& connections;
    udp::socket& datagrams;

    std::string answer(char wish)
    {
        if (wish == recycle)
            self.recycle();
        if (wish == give_up)
            self.give_up("somebody asked");
        if (wish == count_please)
            return std::to_string(taken());
        return std::to_string(datagrams.local_endpoint().port());
    }

    int taken()
    {
        std::array<char, 16> room{};
        std::error_code none;
        datagrams.non_blocking(true);
        while (datagrams.receive(asio::buffer(room), 0, none) != 0 && !none)
            ++datagrams_taken;
        return datagrams_taken;
    }

    task<> serve()
    {
        for (;;)
        {
            auto client = co_await connections.accept();
            if (!client)
                co_return;
            char wish = 0;
            co_await asio::async_read(*client, asio::buffer(&wish, 1), asio::use_awaitable);
            auto text = answer(wish);
            co_await asio::async_write(*client, asio::buffer(text), asio::use_awaitable);
            if (wish == give_up)
                co_return;
        }
    }

    int datagrams_taken = 0;
};

task<> work(process& self, int filled)
{
    calls pending;
    if (has(static_cast<full>(filled), full::to_the_primary))
        pending = fill(self);
    auto connections = co_await self.listen(0);
    udp::endpoint anywhere(asio::ip::address_v4::loopback(), 0);
    auto datagrams = co_await self.bind(anywhere);
    obedient worker(self, connections, datagrams);
    co_await worker.serve();
}

task<std::string> ask_for(std::uint16_t port, char wish)
{
    auto connection = co_await connect_to(port);
    co_await asio::async_write(connection, asio::buffer(&wish, 1), asio::use_awaitable);
    co_return co_await read_all(std::move(connection));
}

brood::cluster_settings settings_of(bool hands_over)
{
    brood::cluster_settings settings;
    settings.size = 1;
    settings.dispatch = hands_over ? dispatch_policy::round_robin() : dispatch_policy::shared();
    settings.watchdog.tick = 50ms;
    settings.watchdog.stale_after = 500ms;
    settings.recycle.min_lifetime = 0ms;
    return settings;
}

/// The lanes to a worker, and the calls that fill them.
struct filled_worker
{
    filled_worker(cluster<work>& of, full which, std::uint64_t id)
        : worker(of.worker_with_id(id).value())
    {
        if (has(which, full::to_the_worker))
            pending = fill(worker.process());
    }

    brood::worker worker;
    calls pending;
};

/// Asked for its end by a connection, the first worker tells its primary why it goes.
task<brood::exit_info> end_of(filled_worker& first, char wish)
{
    co_await ask_for(first.worker.port(), wish);
    co_return co_await first.worker.exit();
}

/// The successor of a recycled worker is asked to stop by a word alone, and ends with its own code.
task<> recycle_and_stop(cluster<work>& workers, filled_worker& first, full which)
{
    auto recycled = co_await end_of(first, recycle);
    CHECK(recycled.cause == brood::exit_cause::recycled);
    CHECK(recycled.status.success());

    filled_worker second(workers, which, 2);
    auto is_ready = co_await second.worker.ready();
    REQUIRE(is_ready);
    co_await workers.stop();
    auto stopped = co_await second.worker.exit();
    CHECK(stopped.cause == brood::exit_cause::stopped);
    CHECK(stopped.status.success());
}

/// listen, bind, ready; connections that are handed over, and their acknowledgements; signs of
/// life; recycle, drain and stop, or give up.
task<> talk(full which, bool hands_over)
{
    cluster<work> workers(settings_of(hands_over), static_cast<int>(which));
    filled_worker first(workers, which, 1);
    auto is_ready = co_await workers.ready();
    REQUIRE(is_ready);
    auto port = first.worker.port();

    auto datagrams_to = co_await ask_for(port, port_please);
    udp::socket sender(workers.executor(), udp::v4());
    auto to = static_cast<std::uint16_t>(std::stoi(datagrams_to));
    sender.send_to(asio::buffer("x", 1), udp::endpoint(asio::ip::address_v4::loopback(), to));
    std::string count;
    for (int asked = 0; asked < 20; ++asked)
        count = co_await ask_for(port, count_please);
    CHECK(count == "1");

    co_await brood::sleep(1500ms); // the watchdog lets a worker be still for a third of it
    CHECK_FALSE(first.worker.is_dead());

    if (hands_over)
    {
        co_await recycle_and_stop(workers, first, which);
        co_return;
    }
    auto gone = co_await end_of(first, give_up);
    CHECK(gone.cause == brood::exit_cause::gave_up);
    CHECK(gone.reason == "somebody asked");
    co_await workers.stop();
}

} // namespace

TEST_CASE("every word of a worker and its primary gets through full lanes", "[cluster_lanes]")
{
    auto which = GENERATE(full::to_the_primary, full::to_the_worker, full::both);
    auto hands_over = GENERATE(false, true);
    INFO("full: " << static_cast<int>(which) << ", handed over: " << hands_over);
    within(60s, [&] { return talk(which, hands_over); });
}
