// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/detail/tls.hpp>

#include <brood/base/loop.hpp>
#include <brood/pool.hpp>
#include <brood/process/process.hpp>
#include <brood/remote/command_launcher.hpp>
#include <brood/remote/detail/rendezvous.hpp>
#include <brood/remote/ssh.hpp>
#include <brood/wire/internal/far_channel.hpp>
#include <brood/wire/internal/local_pair.hpp>

#include "support/by_shell.hpp"
#include "support/catch.hpp"
#include "support/patience.hpp"
#include "support/ssh_server.hpp"
#include "support/within.hpp"

#include <csignal>
#include <openssl/ssl.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::detail;
using brood::default_executor;
using brood::descriptor;
using brood::pool;
using brood::process;
using brood::task;
using brood::test::elsewhere;
using brood::test::eventually;
using Catch::Matchers::ContainsSubstring;

namespace
{

const tls_identity& identity()
{
    static auto made = tls_identity::make();
    return *made;
}

/// Two ends on one pair of sockets, without a link.
struct two_ends
{
    std::shared_ptr<tls> primary = tls::of_primary(identity());
    std::shared_ptr<tls> worker;
    descriptor here, there;

    explicit two_ends(const secret& mark = identity().mark()) : worker(tls::of_worker(mark))
    {
        auto [one, other] = local_pair();
        here = std::move(one);
        there = std::move(other);
    }

    /// What the handshake came to at both ends.
    std::pair<tls::handshake, tls::handshake> shake() const
    {
        auto mine = tls::handshake::reads, theirs = tls::handshake::reads;
        auto goes_on = [](tls::handshake now)
        {
            return now == tls::handshake::reads || now == tls::handshake::writes;
        };
        for (int round = 0; round < 10 && (goes_on(mine) || goes_on(theirs)); ++round)
        {
            theirs = goes_on(theirs) ? worker->shake(there.get()) : theirs;
            mine = goes_on(mine) ? primary->shake(here.get()) : mine;
        }
        return {mine, theirs};
    }
};

std::string read_raw(const descriptor& from)
{
    std::string room(std::size_t{128} << 10, '\0');
    auto count = ::recv(from.get(), room.data(), room.size(), MSG_DONTWAIT);
    room.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return room;
}

std::string read_text(tls& by, const descriptor& from)
{
    std::string room(std::size_t{128} << 10, '\0');
    auto count = by.receive(from.get(), std::as_writable_bytes(std::span(room)));
    room.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return room;
}

constexpr auto done = tls::handshake::done;
constexpr auto failed = tls::handshake::failed;

/// Channels at both ends of an encrypted connection.
struct two_channels
{
    two_ends ends = shaken();
    far_channel primary{default_executor(), std::move(ends.here), "worker", {}, ends.primary};
    far_channel worker{default_executor(), std::move(ends.there), "primary", {}, ends.worker};

    static two_ends shaken()
    {
        two_ends result;
        REQUIRE(result.shake() == std::pair(done, done));
        return result;
    }
};

brood::command_options encrypted()
{
    auto options = brood::test::by_shell();
    options.encrypt = true;
    return options;
}

task<> echo(process& self, std::string greeting)
{
    self.send(greeting);
    while (auto text = co_await self.message<std::string>())
        self.send(*text);
}

task<int> send_and_end(process& self, std::size_t size)
{
    self.send(std::string(size, 'x'));
    co_return 7;
}

task<> send_and_die(process& self, std::size_t size)
{
    self.send(std::string(size, 'x'));
    co_await self.flush();
    ::kill(::getpid(), SIGKILL);
    std::this_thread::sleep_for(20s);
}

int square(int number)
{
    return number * number;
}

} // namespace

// ---- Two ends

TEST_CASE("What is said after the handshake is read at the other end, and by nobody between",
          "[tls]")
{
    two_ends ends;
    REQUIRE(ends.shake() == std::pair(done, done));
    const std::string text = "what nobody between may read";
    CHECK(ends.primary->send(ends.here.get(), bytes_of(text)) == static_cast<ssize_t>(text.size()));
    auto raw = read_raw(ends.there);
    CHECK(raw.size() > text.size());
    CHECK_THAT(raw, !ContainsSubstring("nobody"));
    CHECK(ends.worker->send(ends.there.get(), bytes_of(text)) == static_cast<ssize_t>(text.size()));
    CHECK(read_text(*ends.primary, ends.here) == text);
}

TEST_CASE("Each end may end its half while the other goes on", "[tls]")
{
    two_ends ends;
    REQUIRE(ends.shake() == std::pair(done, done));
    CHECK(ends.worker->send(ends.there.get(), bytes_of("last")) == 4);
    CHECK(ends.worker->end(ends.there.get()));
    CHECK(ends.worker->end(ends.there.get()));
    CHECK(read_text(*ends.primary, ends.here) == "last");
    CHECK(ends.primary->held() != 0); // although the socket is empty
    std::byte one{};
    CHECK(ends.primary->receive(ends.here.get(), {&one, 1}) == 0);
    CHECK(ends.primary->send(ends.here.get(), bytes_of("and on")) == 6);
    CHECK(read_text(*ends.worker, ends.there) == "and on");
    ends.here = descriptor(); // without a word
    CHECK(ends.worker->receive(ends.there.get(), {&one, 1}) == 0);
}

TEST_CASE("A worker goes on with no certificate but that of its run", "[tls]")
{
    two_ends ends(tls_identity::make()->mark());
    CHECK(ends.shake() == std::pair(failed, failed));
    CHECK_THAT(ends.worker->why(), ContainsSubstring("another certificate"));
}

TEST_CASE("Two runs have two certificates", "[tls]")
{
    CHECK(tls_identity::make()->mark() != tls_identity::make()->mark());
}

TEST_CASE("One who speaks no TLS is refused at either end", "[tls]")
{
    two_ends ends;
    std::string request = "GET / HTTP/1.1\r\nHost: head\r\n\r\n";
    CHECK(::send(ends.there.get(), request.data(), request.size(), 0) > 0);
    CHECK(ends.primary->shake(ends.here.get()) == failed);
    two_ends others;
    CHECK(others.worker->shake(others.there.get()) == tls::handshake::reads);
    CHECK(::send(others.here.get(), request.data(), request.size(), 0) > 0);
    CHECK(others.worker->shake(others.there.get()) == failed);
    two_ends gone;
    CHECK(gone.worker->shake(gone.there.get()) == tls::handshake::reads);
    gone.here = descriptor();
    CHECK(gone.worker->shake(gone.there.get()) == failed);
    CHECK_THAT(gone.worker->why(), ContainsSubstring("hung up"));
}

TEST_CASE("No version of TLS before 1.3 is spoken", "[tls]")
{
    std::shared_ptr<SSL_CTX> old(::SSL_CTX_new(::TLS_client_method()), &::SSL_CTX_free);
    ::SSL_CTX_set_max_proto_version(old.get(), TLS1_2_VERSION);
    std::shared_ptr<SSL> client(::SSL_new(old.get()), &::SSL_free);
    two_ends ends;
    ::fcntl(ends.there.get(), F_SETFL, O_NONBLOCK);
    ::SSL_set_fd(client.get(), ends.there.get());
    CHECK(::SSL_connect(client.get()) == -1);
    CHECK(ends.primary->shake(ends.here.get()) == failed);
    CHECK_THAT(ends.primary->why(), ContainsSubstring("protocol"));
    auto given = ::SSL_connect(client.get());
    CHECK(::SSL_get_error(client.get(), given) == SSL_ERROR_SSL);
}

TEST_CASE("A byte that was changed on its way ends the connection", "[tls]")
{
    two_ends ends;
    REQUIRE(ends.shake() == std::pair(done, done));
    CHECK(ends.primary->send(ends.here.get(), bytes_of("hello")) == 5);
    auto raw = read_raw(ends.there);
    raw[raw.size() / 2] ^= 1;
    CHECK(::send(ends.here.get(), raw.data(), raw.size(), 0) > 0);
    std::byte one{};
    CHECK(ends.worker->receive(ends.there.get(), {&one, 1}) == -1);
    CHECK(errno == EBADMSG);
}

TEST_CASE("What the kernel does not take is held, and more is refused until it has", "[tls]")
{
    two_ends ends;
    REQUIRE(ends.shake() == std::pair(done, done));
    std::string much(std::size_t{1} << 20, 'x');
    std::size_t sent = 0;
    ssize_t count = 0;
    while ((count = ends.primary->send(ends.here.get(), bytes_of(much))) > 0)
        sent += static_cast<std::size_t>(count);
    CHECK((errno == EAGAIN || errno == EWOULDBLOCK));
    CHECK(ends.primary->holds());
    CHECK_FALSE(ends.primary->flush(ends.here.get()));
    CHECK_FALSE(ends.primary->end(ends.here.get()));
    std::size_t come = 0;
    for (auto text = read_text(*ends.worker, ends.there); !text.empty();
         text = read_text(*ends.worker, ends.there))
    {
        come += text.size();
        ends.primary->flush(ends.here.get());
    }
    CHECK(come == sent);
    CHECK(ends.primary->end(ends.here.get()));
}

// ---- Channels

TEST_WITHIN(20s, "Messages of any size cross an encrypted channel in both directions at once",
            "[tls]")
{
    two_channels both;
    const std::vector<std::size_t> sizes{0,     1,     1024,  2048,           2049,
                                         16384, 16385, 65536, (4U << 20) + 1, 3};
    for (auto size : sizes)
    {
        both.primary.send(std::string(size, 'p'));
        both.worker.send(std::string(size, 'w'));
    }
    for (auto size : sizes)
    {
        auto one = co_await both.worker.message<std::string>();
        auto other = co_await both.primary.message<std::string>();
        CHECK((one && one->size() == size));
        CHECK((other && other->size() == size));
    }
}

TEST_WITHIN(20s, "A channel that was ended encrypted is read to its end, and reads on", "[tls]")
{
    two_channels both;
    for (int number = 0; number < 1000; ++number)
        both.worker.send(number);
    both.worker.disconnect();
    for (int number = 0; number < 1000; ++number)
    {
        auto come = co_await both.primary.message<int>();
        CHECK(come == number);
    }
    auto none = co_await both.primary.message<int>();
    CHECK_FALSE(none);
    both.primary.send(std::string("and on"));
    auto text = co_await both.worker.message<std::string>();
    CHECK(text == "and on");
}

TEST_WITHIN(20s, "What is encrypted has left when flush() says so", "[tls]")
{
    two_channels both;
    both.worker.send(std::string(std::size_t{8} << 20, 'x'));
    auto text = std::optional<std::string>();
    asio::co_spawn(
        default_executor(),
        [&]() -> task<> { text = co_await both.primary.message<std::string>(); }, asio::detached);
    co_await both.worker.flush();
    CHECK_FALSE(both.ends.worker->holds());
    auto come = co_await eventually(5s, [&] { return text.has_value(); });
    CHECK(come);
}

// ---- Where workers come to

namespace
{

/// Where a worker is expected by TLS.
struct encrypted_place
{
    std::shared_ptr<rendezvous> meeting;
    far_channel expected = far_channel(default_executor(), descriptor(), "worker 1", {});
    secret shared = random_secret();
    std::string endpoint;

    encrypted_place()
    {
        std::shared_ptr<const tls_identity> ours(&identity(), [](auto) {});
        std::vector<std::string> hosts{"127.0.0.1"};
        meeting = std::make_shared<rendezvous>(default_executor(), hosts, 300ms, ours);
        guest who{shared, expected.link(), {"", "", "primary"}, {}};
        who.refuse = [](auto&)
        {
            return std::string();
        };
        endpoint = meeting->expect(std::move(who)).front();
    }

    ~encrypted_place() { meeting->forget(shared); }

    std::shared_ptr<stranger> visitor() const
    {
        auto address = read_address(endpoint);
        REQUIRE(address);
        descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        brood::check(::connect(socket.get(), address->get(), address->size), "connect");
        ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
        return std::make_shared<stranger>(default_executor(), std::move(socket), 10s);
    }
};

/// Whether it hangs up, whatever it says before.
task<bool> is_sent_away(std::shared_ptr<stranger> who)
{
    std::array<std::byte, 4096> room{};
    auto whole = co_await stranger::read(who, room);
    co_return !whole;
}

} // namespace

TEST_WITHIN(20s, "Strangers that stall in the handshake have their time, and cost no place",
            "[tls]")
{
    encrypted_place at;
    auto silent = at.visitor();
    auto half = at.visitor();
    auto hello = std::string("\x16\x03\x01\x02\x00\x01", 6); // the begin of a ClientHello
    co_await stranger::write(half, bytes_of(hello));
    auto patient = at.visitor(); // shakes hands, and says nothing then
    auto shaken = co_await stranger::encrypt(patient, tls::of_worker(identity().mark()));
    CHECK(shaken);
    auto plain = at.visitor();
    knock first;
    first.name = name_of_secret(at.shared);
    auto said = to_bytes(first);
    co_await stranger::write(plain, said);
    std::vector<std::shared_ptr<stranger>> all{silent, half, patient, plain};
    for (auto& each : all)
    {
        auto away = co_await is_sent_away(each);
        CHECK(away);
    }
    auto gone = co_await eventually(5s, [&] { return at.meeting->strangers() == 0; });
    CHECK(gone);
    CHECK(at.meeting->expects() == 1);
}

// ---- Workers

TEST_WITHIN(20s, "A worker elsewhere speaks encrypted as it does in the clear", "[tls]")
{
    auto child = brood::fork_with<echo>(elsewhere(encrypted()), "hello");
    auto greeting = co_await child.message<std::string>();
    CHECK(greeting == "hello");
    child.send(std::string(std::size_t{1} << 20, 'x'));
    auto large = co_await child.message<std::string>();
    CHECK((large && large->size() == std::size_t{1} << 20));
    child.disconnect();
    auto status = co_await child.exit();
    CHECK(status.success());
}

TEST_WITHIN(20s, "What an encrypted worker sent last arrives, also when it is killed behind it",
            "[tls]")
{
    constexpr std::size_t size = std::size_t{3} << 20;
    auto child = brood::fork_with<send_and_end>(elsewhere(encrypted()), size);
    auto killed = brood::fork_with<send_and_die>(elsewhere(encrypted()), size);
    auto text = co_await child.message<std::string>();
    CHECK((text && text->size() == size));
    auto none = co_await child.message<std::string>();
    CHECK_FALSE(none);
    auto status = co_await child.exit();
    CHECK(status.code == 7);
    text = co_await killed.message<std::string>();
    CHECK((text && text->size() == size));
    none = co_await killed.message<std::string>();
    CHECK_FALSE(none);
    status = co_await killed.exit();
    CHECK(status.signal == SIGKILL);
}

TEST_WITHIN(20s, "A pool of encrypted workers calls as any", "[tls]")
{
    pool<square> calls(brood::launch_by(encrypted()));
    std::vector<task<int>> results;
    for (int number = 0; number < 200; ++number)
        results.push_back(calls(number));
    for (int number = 0; number < 200; ++number)
    {
        auto result = co_await std::move(results[static_cast<std::size_t>(number)]);
        CHECK(result == number * number);
    }
    co_await calls.finish();
}

TEST_WITHIN(20s, "A worker that is told another certificate does not come, and says why", "[tls]")
{
    auto options = encrypted();
    // Between the primary and its worker, somebody changes the line.
    options.command = [](const brood::worker_program& program)
    {
        brood::launch_command command;
        command.program = "/bin/sh";
        auto other = std::string(64, '0');
        command.args = {"-c", "read a b c d e f g rest; echo \"$a $b $c $d $e $f " + other +
                                  " $rest\" | " + brood::remote_script(program)};
        return command;
    };
    auto started = elsewhere(options);
    started.stderr_ = brood::stdio::pipe();
    auto child = brood::fork_with<echo>(started, "hello");
    auto said = co_await child.err().read_all();
    CHECK_THAT(said, ContainsSubstring("another certificate"));
    auto status = co_await child.exit();
    CHECK(status.code == 1);
}

TEST_WITH_SSH(20s, "A worker over ssh that connects by itself is encrypted too", "[tls]")
{
    brood::ssh_settings settings;
    settings.options = server.options();
    settings.direct = {"127.0.0.1"};
    settings.encrypt = true;
    pool<square> calls(brood::ssh(brood::host_list("w1"), settings));
    auto result = co_await calls(12);
    CHECK(result == 144);
    co_await calls.stop();
}

TEST_CASE("Workers outside a private network are refused until something is said", "[tls]")
{
    auto options = encrypted();
    options.listen_on = {"203.0.113.5"};
    CHECK_NOTHROW(brood::launch_by(options));
    options.encrypt = false;
    CHECK_NOTHROW(brood::launch_by(options));
    options.encrypt.reset();
    CHECK_THROWS_AS(brood::launch_by(options), std::invalid_argument);
}
