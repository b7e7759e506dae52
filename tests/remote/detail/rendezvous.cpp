// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/detail/rendezvous.hpp>

#include <brood/base/loop.hpp>
#include <brood/remote/detail/meeting_place.hpp>
#include <brood/wire/internal/far_channel.hpp>

#include "support/catch.hpp"
#include "support/patience.hpp"
#include "support/visitor.hpp"
#include "support/within.hpp"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::detail;
using brood::default_executor;
using brood::descriptor;
using brood::task;
using namespace brood::test;
using Catch::Matchers::ContainsSubstring;

namespace
{

/// A place where one worker is expected.
struct place
{
    std::shared_ptr<rendezvous> meeting = std::make_shared<rendezvous>(
        default_executor(), std::vector<std::string>{"127.0.0.1"}, 500ms);
    far_channel expected = far_channel(default_executor(), descriptor(), "worker 1", {});
    secret shared = random_secret();
    std::vector<std::string> endpoints;
    std::string refused;
    far_worker came;

    place()
    {
        guest who{shared, expected.link(), {"entry", "1.0", "primary"}, {}};
        who.refuse = [this](const far_worker& is)
        {
            came = is;
            return refused;
        };
        endpoints = meeting->expect(std::move(who));
    }
};

/// A connection to it, as a worker or somebody else has one.
std::shared_ptr<stranger> visitor(const place& to)
{
    return brood::test::visitor(to.endpoints.front());
}

const std::string entry_text = to_block({"n1", "42", "abc"});

} // namespace

TEST_WITHIN(20s, "Who knows the secret comes in, and what was sent to him arrives", "[rendezvous]")
{
    place at;
    at.expected.send(std::string("early"));
    auto worker = visitor(at);
    visit so_far;
    auto begun = co_await begin_visit(worker, at.shared, so_far);
    CHECK(begun);
    CHECK(so_far.primary_knows);
    auto told = co_await end_visit(worker, at.shared, so_far, entry_text);
    REQUIRE(told);
    CHECK(*told == std::vector<std::string>{"welcome", "entry", "1.0", "primary"});
    CHECK(at.came.host == "n1");
    CHECK(at.came.pid == "42");
    far_channel there(default_executor(), worker->release(), "primary", {});
    auto came = co_await there.message<std::string>();
    CHECK(came == "early");
    there.send(7);
    auto answer = co_await at.expected.message<int>();
    CHECK(answer == 7);
    CHECK(at.meeting->expects() == 0);
    auto closed = co_await eventually(5s, [&] { return at.meeting->strangers() == 0; });
    CHECK(closed);
}

TEST_WITHIN(20s,
            "A wrong secret, or a wrong proof of the right one, is sent away, and the place stays",
            "[rendezvous]")
{
    place at;
    auto unknown = visitor(at);
    visit first;
    auto begun = co_await begin_visit(unknown, random_secret(), first);
    CHECK_FALSE(begun);
    auto liar = visitor(at); // who has heard the name of the secret, which is no secret
    visit second;
    co_await begin_visit(liar, at.shared, second);
    auto told = co_await end_visit(liar, random_secret(), second, entry_text);
    CHECK_FALSE(told);
    CHECK(at.meeting->expects() == 1);
    auto worker = visitor(at);
    visit third;
    co_await begin_visit(worker, at.shared, third);
    auto welcome = co_await end_visit(worker, at.shared, third, entry_text);
    CHECK((welcome && welcome->front() == "welcome"));
}

TEST_WITHIN(20s, "A secret is good once, and what was said with it is worth nothing later",
            "[rendezvous]")
{
    place at;
    auto other = random_secret();
    far_channel second(default_executor(), descriptor(), "worker 2", {});
    guest also{other,
               second.link(),
               {"", "", "primary"},
               [](auto&)
               {
                   return std::string();
               }};
    at.meeting->expect(std::move(also)); // so that it goes on listening
    auto worker = visitor(at);
    visit so_far;
    co_await begin_visit(worker, at.shared, so_far);
    auto told = co_await end_visit(worker, at.shared, so_far, entry_text);
    CHECK(told);
    auto again = visitor(at);
    visit repeated;
    auto begun = co_await begin_visit(again, at.shared, repeated);
    CHECK_FALSE(begun);
    // The same bytes that a worker said before another nonce.
    auto replay = visitor(at);
    visit late;
    co_await begin_visit(replay, other, late);
    auto stale = late;
    stale.both.of_primary = so_far.both.of_primary;
    auto refused = co_await end_visit(replay, other, stale, entry_text);
    CHECK_FALSE(refused);
    CHECK(at.meeting->expects() == 1);
    at.meeting->forget(other);
}

TEST_WITHIN(20s, "A handshake that breaks off at any byte costs nothing but its time",
            "[rendezvous]")
{
    place at;
    auto bytes = to_bytes(knock{name_of_secret(at.shared), random_secret()});
    for (std::size_t length : {0U, 1U, 8U, 12U, 28U, 59U})
    {
        auto one = visitor(at);
        co_await stranger::write(one, std::span(bytes).first(length));
        one->close();
    }
    auto all_gone = co_await eventually(5s, [&] { return at.meeting->strangers() == 0; });
    CHECK(all_gone);
    CHECK(at.meeting->expects() == 1);
    auto large = visitor(at); // says that very much comes
    visit so_far;
    co_await begin_visit(large, at.shared, so_far);
    std::array<std::byte, 4> size{};
    store_little(size.data(), UINT32_MAX);
    co_await stranger::write(large, size);
    auto away = co_await is_sent_away(large);
    CHECK(away);
    at.meeting->forget(at.shared);
}

TEST_WITHIN(20s, "Another version, another protocol and silence are sent away", "[rendezvous]")
{
    place at;
    auto newer = visitor(at);
    auto bytes = to_bytes(knock{name_of_secret(at.shared), random_secret()});
    bytes[8] = std::byte{2};
    co_await stranger::write(newer, bytes);
    auto away = co_await is_sent_away(newer);
    CHECK(away);
    auto scanner = visitor(at);
    std::string request(200, 'x');
    co_await stranger::write(scanner, bytes_of("GET / HTTP/1.1\r\nHost: head\r\n" + request));
    away = co_await is_sent_away(scanner);
    CHECK(away);
    auto silent = visitor(at); // for half a second here
    away = co_await is_sent_away(silent);
    CHECK(away);
    at.meeting->forget(at.shared);
}

TEST_WITHIN(20s, "Of too many strangers the oldest goes, and a worker still comes in",
            "[rendezvous]")
{
    place at;
    std::vector<std::shared_ptr<stranger>> crowd;
    for (std::size_t index = 0; index < rendezvous::most_strangers + 10; ++index)
        crowd.push_back(visitor(at));
    auto worker = visitor(at);
    visit so_far;
    auto begun = co_await begin_visit(worker, at.shared, so_far);
    CHECK(begun);
    CHECK(at.meeting->strangers() <= rendezvous::most_strangers);
    auto told = co_await end_visit(worker, at.shared, so_far, entry_text);
    CHECK(told);
    auto all_gone = co_await eventually(5s, [&] { return at.meeting->strangers() == 0; });
    CHECK(all_gone); // nobody is expected any more
}

TEST_WITHIN(20s, "Who must not come is told why, and so is who waits for him", "[rendezvous]")
{
    place at;
    at.refused = "another build";
    auto worker = visitor(at);
    visit so_far;
    co_await begin_visit(worker, at.shared, so_far);
    auto told = co_await end_visit(worker, at.shared, so_far, entry_text);
    REQUIRE(told);
    CHECK(*told == std::vector<std::string>{"refused", "another build"});
    auto thrown = std::string();
    try
    {
        co_await at.expected.message<int>();
    }
    catch (const brood::error& why)
    {
        CHECK(why.code() == brood::errc::version_mismatch);
        thrown = why.what();
    }
    CHECK_THAT(thrown, ContainsSubstring("worker 1: another build"));
}

TEST_WITHIN(20s, "At a door for all who says nothing is sent away in time, and that is told",
            "[rendezvous]")
{
    std::vector<std::string> said;
    auto token = random_secret();
    front_door door;
    door.shared = token;
    door.sockets = listen_at(*read_place("tcp://127.0.0.1:0"));
    door.report = [&](const std::string& what)
    {
        said.push_back(what);
    };
    auto at = to_endpoint("127.0.0.1", place_of(door.sockets.front()).port);
    auto meeting = std::make_shared<rendezvous>(default_executor(), std::move(door), 50ms);
    far_channel expected(default_executor(), descriptor(), "worker 1", {});
    guest who{token, expected.link(), {"entry", "1.0", "primary"}, {}};
    meeting->expect(std::move(who));
    for (std::size_t length : {0U, 30U})
    {
        auto slow = brood::test::visitor(at);
        std::string part(length, 'b');
        co_await stranger::write(slow, bytes_of(part));
        auto away = co_await is_sent_away(slow);
        CHECK(away);
        auto gone = co_await eventually(5s, [&] { return meeting->strangers() == 0; });
        CHECK(gone);
    }
    CHECK(said == std::vector<std::string>(2, "127.0.0.1 did not say who it is within 50 ms"));
    CHECK(meeting->expects() == 1);
    meeting->forget(expected.link());
    meeting->close();
}

TEST_WITHIN(20s, "Nobody listens when nobody is expected", "[rendezvous]")
{
    place at;
    auto address = read_address(at.endpoints.front());
    at.meeting->forget(at.shared);
    descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(::connect(socket.get(), address->get(), address->size) == -1);
    CHECK(errno == ECONNREFUSED);
    co_return;
}
