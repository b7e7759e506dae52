// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/detail/rendezvous.hpp>

#include <brood/base/loop.hpp>
#include <brood/wire/internal/far_channel.hpp>

#include "support/catch.hpp"
#include "support/patience.hpp"
#include "support/within.hpp"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::detail;
using brood::default_executor;
using brood::descriptor;
using brood::task;
using brood::test::eventually;
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
    auto address = read_address(to.endpoints.front());
    REQUIRE(address);
    descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    brood::check(::connect(socket.get(), address->get(), address->size), "connect");
    ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
    return std::make_shared<stranger>(default_executor(), std::move(socket), 10s);
}

struct visit
{
    visit() = default;

    knock first;
    nonces both;
    bool primary_knows = false;
};

/// The first half of the handshake with a secret; false when the other side hangs up.
task<bool> begin(std::shared_ptr<stranger> by, secret with, visit& so_far)
{
    so_far.first.name = name_of_secret(with);
    so_far.first.nonce = random_secret();
    so_far.both.of_worker = so_far.first.nonce;
    auto bytes = to_bytes(so_far.first);
    auto whole = co_await stranger::write(by, bytes);
    proof theirs{};
    if (whole)
        whole = co_await stranger::read(by, so_far.both.of_primary);
    if (whole)
        whole = co_await stranger::read(by, theirs);
    so_far.primary_knows = whole && is_same(theirs, so_far.both.of_the_primary(with));
    co_return whole;
}

/// The second half; gives what it is told, or nothing when the other side hangs up.
task<std::optional<std::vector<std::string>>> go_on(std::shared_ptr<stranger> by, secret with,
                                                    visit& so_far, std::string what)
{
    std::array<std::byte, 4> size{};
    store_little(size.data(), static_cast<std::uint32_t>(what.size()));
    auto mine = so_far.both.of_the_worker(with, bytes_of(what));
    auto whole = co_await stranger::write(by, size);
    if (whole)
        whole = co_await stranger::write(by, bytes_of(what));
    if (whole)
        whole = co_await stranger::write(by, mine);
    std::array<std::byte, 5> head{};
    if (whole)
        whole = co_await stranger::read(by, head);
    if (!whole)
        co_return std::nullopt;
    std::uint32_t length = 0;
    load_little(head.data() + 1, length);
    std::string block(length, '\0');
    auto room = std::as_writable_bytes(std::span(block.data(), block.size()));
    whole = co_await stranger::read(by, room);
    if (!whole)
        co_return std::nullopt;
    auto texts = read_block(block).value();
    texts.insert(texts.begin(), head[0] == std::byte{1} ? "welcome" : "refused");
    co_return texts;
}

/// Whether the other side hangs up without a word more.
task<bool> is_sent_away(std::shared_ptr<stranger> who)
{
    std::array<std::byte, 1> more{};
    auto any = co_await stranger::read(who, more);
    co_return !any;
}

const std::string entry_text = to_block({"n1", "42", "abc"});

} // namespace

TEST_WITHIN(20s, "Who knows the secret comes in, and what was sent to him arrives", "[rendezvous]")
{
    place at;
    at.expected.send(std::string("early"));
    auto worker = visitor(at);
    visit so_far;
    auto begun = co_await begin(worker, at.shared, so_far);
    CHECK(begun);
    CHECK(so_far.primary_knows);
    auto told = co_await go_on(worker, at.shared, so_far, entry_text);
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
    auto begun = co_await begin(unknown, random_secret(), first);
    CHECK_FALSE(begun);
    auto liar = visitor(at); // who has heard the name of the secret, which is no secret
    visit second;
    co_await begin(liar, at.shared, second);
    auto told = co_await go_on(liar, random_secret(), second, entry_text);
    CHECK_FALSE(told);
    CHECK(at.meeting->expects() == 1);
    auto worker = visitor(at);
    visit third;
    co_await begin(worker, at.shared, third);
    auto welcome = co_await go_on(worker, at.shared, third, entry_text);
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
    co_await begin(worker, at.shared, so_far);
    auto told = co_await go_on(worker, at.shared, so_far, entry_text);
    CHECK(told);
    auto again = visitor(at);
    visit repeated;
    auto begun = co_await begin(again, at.shared, repeated);
    CHECK_FALSE(begun);
    // The same bytes that a worker said before another nonce.
    auto replay = visitor(at);
    visit late;
    co_await begin(replay, other, late);
    auto stale = late;
    stale.both.of_primary = so_far.both.of_primary;
    auto refused = co_await go_on(replay, other, stale, entry_text);
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
    co_await begin(large, at.shared, so_far);
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
    auto begun = co_await begin(worker, at.shared, so_far);
    CHECK(begun);
    CHECK(at.meeting->strangers() <= rendezvous::most_strangers);
    auto told = co_await go_on(worker, at.shared, so_far, entry_text);
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
    co_await begin(worker, at.shared, so_far);
    auto told = co_await go_on(worker, at.shared, so_far, entry_text);
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
