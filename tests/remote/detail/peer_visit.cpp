// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/detail/peer_visit.hpp>

#include <brood/base/all.hpp>
#include <brood/cluster/cluster.hpp>
#include <brood/process/peers.hpp>
#include <brood/remote/arrival.hpp>
#include <brood/wire/internal/far_channel.hpp>

#include "support/by_shell.hpp"
#include "support/catch.hpp"
#include "support/within.hpp"

#include <cereal/types/string.hpp>

#include <csignal>
#include <set>
#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::detail;
using brood::channel_limits;
using brood::cluster;
using brood::errc;
using brood::process;
using brood::task;
using brood::test::by_shell;
using Catch::Matchers::ContainsSubstring;

namespace
{

constexpr int count = 1'000;

task<> count_to_other(brood::peers& peers, std::size_t slot)
{
    auto other = co_await peers.at(slot);
    for (int number = 0; number < count; ++number)
    {
        auto room = other.send(number);
        if (!room)
            co_await other.drain();
    }
}

task<> take_counts(process& self, brood::peers& peers)
{
    int next = 0;
    while (next < count)
    {
        auto said = co_await peers.message<int>();
        if (!said || said->message != next)
            break;
        ++next;
    }
    self.send(std::to_string(next));
}

/// Both ask for each other at once.
task<> count_both_ways(process& self)
{
    brood::peers peers(self);
    std::vector<task<>> parts;
    parts.push_back(count_to_other(peers, 1 - self.worker_slot()));
    parts.push_back(take_counts(self, peers));
    co_await brood::all(std::move(parts));
    auto none = co_await peers.message<int>();
    self.send(std::string(none ? "more" : "end"));
}

/// The first sends until the other one ends, and reaches its successor.
task<> send_on(process& self)
{
    brood::peers peers(self);
    if (self.worker_slot() == 1)
    {
        auto first = co_await peers.message<int>();
        self.send(std::to_string(first ? self.worker_id() : 0));
        co_return co_await self.shutdown();
    }
    std::string why;
    try
    {
        auto other = co_await peers.at(1);
        for (;;)
        {
            other.send(1);
            co_await brood::sleep(1ms);
        }
    }
    catch (const brood::error& closed)
    {
        why = closed.text();
    }
    auto next = co_await peers.at(1);
    next.send(1);
    self.send(why);
    co_await self.shutdown();
}

brood::cluster_settings elsewhere(std::optional<bool> encrypt)
{
    auto options = by_shell();
    options.encrypt = encrypt;
    brood::cluster_settings settings;
    settings.size = 2;
    settings.spawn.launcher = brood::launch_by(options);
    return settings;
}

template <class Cluster>
task<std::string> heard(Cluster& workers)
{
    auto said = co_await workers.template message<std::string>();
    co_return said ? said->message : "nothing";
}

task<> meet(std::optional<bool> encrypt)
{
    cluster<count_both_ways> workers(elsewhere(encrypt));
    auto first = co_await heard(workers);
    auto second = co_await heard(workers);
    CHECK(first == std::to_string(count));
    CHECK(second == std::to_string(count));

    co_await workers.stop();
    auto third = co_await heard(workers);
    auto fourth = co_await heard(workers);
    CHECK(third == "end");
    CHECK(fourth == "end");
}

far_channel open_end(const std::string& peer)
{
    return {brood::default_executor(), brood::descriptor(), peer, channel_limits()};
}

/// Why a visit fails; empty when it does not.
task<std::string> visit_fails(far_channel& by, meeting_point where)
{
    try
    {
        co_await visit(by.link(), where);
    }
    catch (const std::system_error& refused)
    {
        co_return refused.what();
    }
    co_return "";
}

} // namespace

TEST_WITHIN(30s, "workers elsewhere speak with each other directly, and end when they are asked to",
            "[peers]")
{
    co_await meet(std::nullopt);
}

TEST_WITHIN(30s,
            "what workers elsewhere say to each other is encrypted when their launcher does so",
            "[peers]")
{
    co_await meet(true);
}

TEST_WITHIN(30s, "who sends to a worker elsewhere that is killed reaches its successor", "[peers]")
{
    cluster<send_on> workers(elsewhere(std::nullopt));
    auto first = co_await heard(workers);
    CHECK(first == "2");

    workers.worker_in_slot(1)->kill(SIGKILL);
    std::set<std::string> told;
    for (int part = 0; part < 2; ++part)
    {
        auto text = co_await heard(workers);
        told.insert(text);
    }
    CHECK(told.count("3") == 1);
    CHECK_THAT(*told.rbegin(), ContainsSubstring("worker 2 in slot 1"));
    co_await workers.stop();
}

TEST_WITHIN(20s, "a visitor proves the secret, which is good once", "[peers]")
{
    auto waiting = open_end("visitor"), visiting = open_end("host");
    auto where = wait_for_visit(waiting.link(), "127.0.0.1:9", false);
    CHECK_THAT(where.endpoint, ContainsSubstring("tcp:127.0.0.1:"));
    CHECK(where.certificate.empty());

    auto wrong = where;
    wrong.secret = to_hex(random_secret());
    auto why = co_await visit_fails(visiting, wrong);
    CHECK_THAT(why, ContainsSubstring("wants nobody"));

    auto none = co_await visit_fails(visiting, where);
    CHECK(none == "");
    visiting.send(7);
    auto seven = co_await waiting.message<int>();
    CHECK(seven == 7);

    auto late = open_end("host");
    auto used = co_await visit_fails(late, where);
    CHECK(used != "");
}

TEST_WITHIN(20s, "a visitor by TLS goes on with the right certificate alone", "[peers]")
{
    auto waiting = open_end("visitor"), visiting = open_end("host");
    auto where = wait_for_visit(waiting.link(), "127.0.0.1:9", true);

    auto wrong = where;
    wrong.certificate = to_hex(random_secret());
    auto why = co_await visit_fails(visiting, wrong);
    CHECK_THAT(why, ContainsSubstring("does not prove by TLS 1.3 who it is"));

    auto none = co_await visit_fails(visiting, where);
    CHECK(none == "");
    waiting.send(std::string("in secret"));
    auto said = co_await visiting.message<std::string>();
    CHECK(said == "in secret");
}

TEST_WITHIN(20s, "a worker waits for no other where nobody could come, or anybody could listen",
            "[peers]")
{
    auto waiting = open_end("visitor");
    auto refusal = [&](const std::string& address)
    {
        try
        {
            wait_for_visit(waiting.link(), address, false);
        }
        catch (const brood::error& refused)
        {
            CHECK(refused.code() == errc::not_local);
            return refused.text();
        }
        return std::string();
    };
    CHECK_THAT(refusal(""), ContainsSubstring("by a tunnel"));
    CHECK_THAT(refusal("/tmp/brood-1"), ContainsSubstring("by a tunnel"));
    CHECK_THAT(refusal("203.0.113.7:7000"), ContainsSubstring("set encrypt to true"));

    auto visiting = open_end("host");
    meeting_point nowhere{"unix:/tmp/brood-1", to_hex(random_secret()), ""};
    auto why = co_await visit_fails(visiting, nowhere);
    CHECK_THAT(why, ContainsSubstring("makes no sense"));
}
