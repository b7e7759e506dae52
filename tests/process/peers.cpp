// SPDX-License-Identifier: BSL-1.0
#include <brood/process/peers.hpp>

#include <brood/base/all.hpp>
#include <brood/cluster/cluster.hpp>
#include <brood/cluster/supervisor.hpp>
#include <brood/process/fork.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <csignal>
#include <fcntl.h>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::errc;
using brood::process;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

cluster_settings of(std::size_t size)
{
    cluster_settings settings;
    settings.size = size;
    return settings;
}

/// The next text of any worker.
template <class Cluster>
task<std::string> heard(Cluster& workers)
{
    auto said = co_await workers.template message<std::string>();
    co_return said ? said->message : "end";
}

/// So many texts of any workers, by their first words: between two workers there is no order.
template <class Cluster>
task<std::map<std::string, std::string>> heard_by_word(Cluster& workers, int count)
{
    std::map<std::string, std::string> told;
    for (int part = 0; part < count; ++part)
    {
        auto text = co_await heard(workers);
        told[text.substr(0, text.find(' '))] = text;
    }
    co_return told;
}

// ---- Hello

task<> greet(process& self)
{
    brood::peers peers(self);
    auto name = std::to_string(self.worker_slot());
    if (name == "0")
    {
        auto next = co_await peers.at(1);
        next.send("hello from " + name);
    }
    while (auto said = co_await peers.message<std::string>())
    {
        auto& from = said->from;
        self.send(name + " heard '" + said->message + "' of worker " +
                  std::to_string(from.worker_id()) + " in slot " + std::to_string(from.slot()));
        if (name == "1")
            from.send(std::string("welcome"));
    }
    self.send(name + " is done");
}

// ---- Each to each

constexpr int per_pair = 2'000;

task<> count_to(brood::peers& peers, std::size_t slot)
{
    auto other = co_await peers.at(slot);
    for (int number = 0; number < per_pair; ++number)
    {
        auto room = other.send(number);
        if (!room)
            co_await other.drain();
    }
}

task<> take_counts(brood::peers& peers, int count, bool& in_order)
{
    std::map<std::size_t, int> next;
    for (int taken = 0; taken < count; ++taken)
    {
        auto said = co_await peers.message<int>();
        if (!said)
            co_return;
        in_order = in_order && said->message == next[said->from.slot()]++;
    }
    for (auto& [slot, end] : next)
        in_order = in_order && end == per_pair;
}

task<> speak_with_all(process& self, int size)
{
    brood::peers peers(self);
    bool in_order = true;
    std::vector<task<>> parts;
    for (int slot = 0; slot < size; ++slot)
        parts.push_back(count_to(peers, static_cast<std::size_t>(slot)));
    parts.push_back(take_counts(peers, size * per_pair, in_order));
    co_await brood::all(std::move(parts));
    self.send(std::string(in_order ? "in order" : "out of order"));
    co_await self.shutdown();
}

// ---- Ends

/// Sends to slot 1 until it cannot, then to who comes after.
task<> send_until_closed(process& self)
{
    brood::peers peers(self);
    auto first = co_await peers.at(1);
    std::string why;
    int sent = 0;
    try
    {
        for (std::vector<char> much(100'000);;)
        {
            auto room = first.send(much);
            ++sent;
            if (!room)
                co_await first.drain();
            co_await brood::sleep(0ms);
        }
    }
    catch (const brood::error& closed)
    {
        why = std::string(closed.code() == errc::closed ? "closed: " : "other: ") + closed.text();
    }
    self.send(why);
    self.send("sent " + std::to_string(sent));
    auto second = co_await peers.at(1);
    second.send(std::vector<char>(first.connected() ? 8 : 7));
    co_await self.shutdown();
}

/// Says how much it was sent: when that is little at once, else at its end.
task<> take_all(process& self)
{
    if (self.worker_slot() == 0)
        co_return co_await send_until_closed(self);
    brood::peers peers(self);
    int taken = 0;
    while (auto said = co_await peers.message<std::vector<char>>())
    {
        ++taken;
        if (said->message.size() == 7)
            self.send(std::string("the successor is reached"));
        else if (taken == 5)
            self.send(std::string("taking"));
    }
    self.send("taken " + std::to_string(taken));
}

/// Tells what at() throws for the slots that it is asked about.
task<> look_for(process& self)
{
    if (self.worker_slot() != 0)
        co_return;
    auto slot = co_await self.message<int>();
    std::string told = "found";
    try
    {
        brood::peers peers(self);
        co_await peers.at(static_cast<std::size_t>(slot.value_or(0)));
    }
    catch (const brood::error& none)
    {
        told = none.what();
    }
    self.send(told);
    co_await self.shutdown();
}

/// Sends as much as no socket holds, and ends.
task<> send_much_and_return(process& self)
{
    brood::peers peers(self);
    if (self.worker_slot() == 0)
    {
        auto other = co_await peers.at(1);
        other.send(std::string(3'000'000, 'x'));
        co_return;
    }
    auto said = co_await peers.message<std::string>();
    self.send(std::to_string(said ? said->message.size() : 0));
    co_await self.shutdown();
}

/// Gives every wait up after a moment, and begins anew.
task<> take_impatiently(process& self)
{
    using namespace asio::experimental::awaitable_operators;
    brood::peers peers(self);
    if (self.worker_slot() == 0)
    {
        co_await count_to(peers, 1);
        co_return co_await self.shutdown();
    }
    int next = 0;
    for (int wait = 0; next < per_pair; wait = (wait + 37) % 200)
    {
        asio::steady_timer timer(brood::default_executor(), std::chrono::microseconds(wait));
        auto result = co_await (peers.message<int>() || timer.async_wait(asio::use_awaitable));
        auto said = std::get_if<0>(&result);
        if (said == nullptr)
            continue;
        if (!*said || (*said)->message != next++)
            break;
    }
    self.send(std::to_string(next));
    co_await self.shutdown();
}

/// Answers who takes over slot 1, and has asked for this one before, in two ways.
task<> answer_successor(process& self)
{
    brood::peers peers(self);
    auto other = co_await peers.at(1 - self.worker_slot());
    if (self.worker_slot() == 0)
    {
        while (auto said = co_await peers.message<int>())
        {
            if (said->from == other)
                continue;
            co_await other.disconnected();
            auto next = co_await peers.at(1);
            for (int number = 0; number < 400; ++number)
                (number % 2 == 0 ? next : said->from).send(number);
        }
        co_return;
    }
    other.send(0);
    int taken = 0;
    bool in_order = true;
    while (auto said = co_await peers.message<int>())
    {
        in_order = in_order && said->message == taken;
        if (++taken == 400)
            self.send(std::string(in_order ? "in order" : "out of order"));
    }
}

/// Sends a descriptor to one that takes nothing, and tells how many come back at its end.
task<> send_descriptor(process& self)
{
    if (self.worker_slot() == 0)
    {
        brood::peers peers(self);
        auto other = co_await peers.at(1);
        other.send(1, brood::descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
        co_await other.flush();
        self.send(std::string("sent"));
        co_await other.disconnected();
        self.send(std::to_string(other.undelivered().size()));
    }
    co_await self.shutdown();
}

task<> have_no_peers(process& self)
{
    std::string told = "has peers";
    try
    {
        brood::peers peers(self);
    }
    catch (const brood::error& none)
    {
        told = none.what();
    }
    self.send(told);
    co_return;
}

} // namespace

TEST_WITHIN(20s, "two workers say hello to each other, until they are asked to stop", "[peers]")
{
    cluster<greet> workers(of(2));
    std::set<std::string> said;
    for (int worker = 0; worker < 2; ++worker)
    {
        auto text = co_await heard(workers);
        said.insert(text);
    }
    CHECK(said == std::set<std::string>{"1 heard 'hello from 0' of worker 1 in slot 0",
                                        "0 heard 'welcome' of worker 2 in slot 1"});

    co_await workers.stop();
    std::set<std::string> last;
    for (auto text = co_await heard(workers); text != "end"; text = co_await heard(workers))
        last.insert(text);
    CHECK(last == std::set<std::string>{"0 is done", "1 is done"});
}

TEST_WITHIN(30s, "each of four sends to each, itself too: everything arrives once, in its order",
            "[peers]")
{
    cluster<speak_with_all> workers(of(4), 4);
    for (int worker = 0; worker < 4; ++worker)
    {
        auto told = co_await heard(workers);
        CHECK(told == "in order");
    }
    co_await workers.stop();
}

TEST_WITHIN(30s,
            "who sends to a worker that is killed learns which, and then reaches its successor",
            "[peers]")
{
    cluster<take_all> workers(of(2));
    auto taking = co_await heard(workers);
    REQUIRE(taking == "taking");
    workers.worker_in_slot(1)->kill(SIGKILL);
    auto told = co_await heard_by_word(workers, 3);

    CHECK_THAT(told["closed:"], ContainsSubstring("worker 2 in slot 1: it has gone"));
    CHECK(told.count("sent") == 1);
    CHECK(told["the"] == "the successor is reached");
    co_await workers.stop();
}

TEST_WITHIN(30s, "a worker that is replaced takes all that was sent to it", "[peers]")
{
    cluster<take_all> workers(of(2));
    auto taking = co_await heard(workers);
    REQUIRE(taking == "taking");
    auto old = workers.worker_in_slot(1);
    auto stopping = old->stop();
    auto told = co_await heard_by_word(workers, 4);
    co_await std::move(stopping);

    CHECK_THAT(told["closed:"],
               ContainsSubstring("worker 2 in slot 1: it ends, and takes nothing"));
    CHECK("sent" + told["taken"].substr(5) == told["sent"]);
    CHECK(told["the"] == "the successor is reached");
    co_await workers.stop();
}

TEST_WITHIN(30s, "a successor that asked before it had the slot is sent to in order", "[peers]")
{
    cluster<answer_successor> workers(of(2));
    co_await workers.ready();
    auto report = co_await workers.reload();
    CHECK(report.replaced == 2);
    auto told = co_await heard(workers);
    CHECK(told == "in order");
    co_await workers.stop();
}

TEST_WITHIN(20s, "a descriptor that was sent to a worker and never taken comes back", "[peers]")
{
    cluster<send_descriptor> workers(of(2));
    auto sent = co_await heard(workers);
    CHECK(sent == "sent");
    workers.worker_in_slot(1)->kill(SIGKILL);
    auto back = co_await heard(workers);
    CHECK(back == "1");
    co_await workers.stop();
}

TEST_WITHIN(20s, "a slot that no worker will have is refused", "[peers]")
{
    auto settings = of(2);
    settings.restart.when = brood::restart::temporary;
    cluster<look_for> workers(settings);
    auto ended = co_await workers.exit();
    CHECK(ended.value().slot == 1);

    workers.worker_in_slot(0)->send(1);
    auto empty = co_await heard(workers);
    CHECK_THAT(empty, ContainsSubstring("slot 1: it stays empty"));
    co_await workers.stop();

    cluster<look_for> one(of(1));
    one.worker_in_slot(0)->send(9);
    auto none = co_await heard(one);
    CHECK_THAT(none, ContainsSubstring("slot 9: there is none in this cluster, which has 1"));
    co_await one.stop();
}

TEST_WITHIN(20s, "what a worker sent to another before it ended arrives", "[peers]")
{
    auto settings = of(2);
    settings.restart.when = brood::restart::temporary;
    cluster<send_much_and_return> workers(settings);
    auto size = co_await heard(workers);
    CHECK(size == "3000000");
    co_await workers.stop();
}

TEST_WITHIN(30s, "waits that are cancelled lose no message of another worker", "[peers]")
{
    cluster<take_impatiently> workers(of(2));
    auto count = co_await heard(workers);
    CHECK(count == std::to_string(per_pair));
    co_await workers.stop();
}

TEST_WITHIN(20s, "a child of no cluster has no peers", "[peers]")
{
    auto child = brood::fork<have_no_peers>();
    auto told = co_await child.message<std::string>();
    CHECK_THAT(told.value_or("end"), ContainsSubstring("is no worker of a cluster"));
    co_await child.exit();

    brood::supervisor lone;
    lone.add<look_for>("lone");
    lone.start();
    lone.worker("lone").send(1);
    auto refused = co_await lone.worker("lone").message<std::string>();
    CHECK_THAT(refused.value_or("end"), ContainsSubstring("the child of a supervisor"));
    co_await lone.stop();
}
