// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/external.hpp>

#include <brood/base/detail/asio.hpp>
#include <brood/cluster/cluster.hpp>
#include <brood/pool.hpp>
#include <brood/process/process.hpp>
#include <brood/process/spawn.hpp>
#include <brood/remote/detail/build_id.hpp>
#include <brood/remote/detail/token_file.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/fixture.hpp"
#include "support/patience.hpp"
#include "support/temporary_directory.hpp"
#include "support/visitor.hpp"
#include "support/within.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using brood::child_process;
using brood::external_options;
using brood::pool;
using brood::pool_settings;
using brood::process;
using brood::task;
using brood::detail::stranger;
using namespace brood::test;
using Catch::Matchers::ContainsSubstring;

namespace
{

pid_t my_pid()
{
    return ::getpid();
}

/// What a worker finds in its environment.
std::string variable(std::string name)
{
    auto value = std::getenv(name.c_str());
    return value == nullptr ? "none" : value;
}

/// Stands still, unless it is the first that is asked to: says so in a file.
pid_t stand_still(std::string file)
{
    auto mark = std::fopen(file.c_str(), "wx");
    auto first = mark != nullptr;
    if (first)
        std::fclose(mark);
    while (first)
        std::this_thread::sleep_for(10ms);
    return ::getpid();
}

/// Says in one file that it has begun, and waits for another.
pid_t wait_for_file(std::string begun, std::string go_on)
{
    std::fclose(std::fopen(begun.c_str(), "w"));
    while (::access(go_on.c_str(), F_OK) != 0)
        std::this_thread::sleep_for(5ms);
    return ::getpid();
}

task<bool> exists(std::string file)
{
    auto found = co_await eventually(10s, [&] { return ::access(file.c_str(), F_OK) == 0; });
    co_return found;
}

/// A primary's door, with what it says, and workers that are started beside it.
struct yard
{
    temporary_directory folder;
    std::string begun = folder / "begun"; // a file for calls
    external_options options;
    std::vector<std::string> said;
    std::shared_ptr<brood::launcher> door;

    explicit yard(std::size_t workers = 2)
    {
        options.token_file = folder / "token";
        options.workers = workers;
        options.orphan_grace = 1s;
        options.report = [this](const std::string& what)
        {
            said.push_back(what);
        };
        open();
    }

    void open(const std::string& at = "tcp://127.0.0.1:0") { door = brood::external(at, options); }

    std::string address() const
    {
        auto name = door->name();
        return name.substr(name.find("://") - 3);
    }

    /// As one that knocks there has it.
    std::string endpoint() const { return "tcp:" + address().substr(6); }

    brood::detail::secret token() const { return brood::detail::read_token(options.token_file); }

    /// Starts this program as somebody else would.
    child_process worker(const std::string& token = {}, const std::string& at = {},
                         const std::string& in = {}) const
    {
        brood::spawn_options how;
        how.env.emplace().set("BROOD_JOIN", at.empty() ? address() : at);
        how.env->set("BROOD_TOKEN_FILE", token.empty() ? options.token_file : token);
        how.stderr_ = brood::stdio::pipe();
        how.on_drop = brood::on_drop::kill;
        if (in.empty())
            return brood::spawn("/proc/self/exe", {"--version"}, how);
        auto self = std::filesystem::read_symlink("/proc/self/exe").string();
        return brood::spawn("ip", {"netns", "exec", in, self, "--version"}, how);
    }

    bool has_said(const std::string& words) const
    {
        return std::any_of(said.begin(), said.end(),
                           [&](auto& each) { return each.find(words) != each.npos; });
    }
};

/// After all who were sent away: the only place is free for a worker with the right token.
task<> serve_one_worker(yard& at, pool<my_pid>& pool)
{
    auto right = at.worker();
    auto pid = co_await pool();
    CHECK(pid == right.pid());
    co_await pool.finish();
    co_await right.exit();
}

/// A network of its own, which this machine reaches by a link that can be cut.
class other_machine
{
public:
    /// What is not there; empty when one can be made.
    static std::string missing()
    {
        if (std::system("ip netns list >/dev/null 2>&1") != 0 || ::geteuid() != 0)
            return "ip netns, as root";
        other_machine tried;
        return tried.made_ ? "" : "a network namespace, which this system refuses";
    }

    other_machine()
    {
        made_ = ip("netns add " + name_) &&
                ip("link add " + name_ + " type veth peer name there netns " + name_) &&
                ip("addr add 10.213.77.1/24 dev " + name_) && ip("link set " + name_ + " up") &&
                ip("-n " + name_ + " addr add 10.213.77.2/24 dev there") &&
                ip("-n " + name_ + " link set there up");
    }

    ~other_machine()
    {
        ip("link del " + name_);
        ip("netns del " + name_);
    }

    other_machine(const other_machine&) = delete;
    other_machine& operator=(const other_machine&) = delete;

    void cut() const { ip("link set " + name_ + " down"); }

    void heal() const { ip("link set " + name_ + " up"); }

    /// Of the namespace, for `ip netns exec`.
    const std::string& name() const noexcept { return name_; }

private:
    static bool ip(const std::string& what)
    {
        return std::system(("ip " + what + " >/dev/null 2>&1").c_str()) == 0;
    }

    std::string name_ = "brood" + std::to_string(::getpid());
    bool made_ = false;
};

/// What a worker that gives up says, and its code.
task<std::string> last_words(child_process& of)
{
    auto text = co_await of.err().read_all();
    auto status = co_await of.exit();
    co_return std::to_string(status.code) + ": " + text;
}

} // namespace

TEST_CASE("An address, options and a token that are none are refused with the cure", "[external]")
{
    temporary_directory folder;
    external_options options;
    options.token_file = folder / "token";
    for (auto address : {"head:7000", "tcp://head", "tcp://:7000", "tcp://head:", "tcp://h:70000",
                         "tcp://::1:7000", "tcp://h:7x"})
        CHECK_THROWS_WITH(brood::external(address, options), ContainsSubstring("tcp://host:port"));
    CHECK_THROWS_WITH(brood::external("tcp://no..host:7000", options),
                      ContainsSubstring("leads nowhere"));
    folder.write("token", "0123");
    CHECK_THROWS_WITH(brood::external("tcp://127.0.0.1:0", options),
                      ContainsSubstring("64 hexadecimal digits"));
    options.token_file = folder / "nowhere/token";
    CHECK_THROWS_AS(brood::external("tcp://127.0.0.1:0", options), std::system_error);
    options.token_file.clear();
    CHECK_THROWS_WITH(brood::external("tcp://127.0.0.1:0", options),
                      ContainsSubstring("BROOD_TOKEN_FILE"));
    options.workers = 0;
    CHECK_THROWS_AS(brood::external("tcp://127.0.0.1:0", options), std::invalid_argument);
}

TEST_CASE("A token is made for this user alone when there is none, and stays", "[external]")
{
    temporary_directory folder;
    external_options options;
    options.token_file = folder / "token";
    auto door = brood::external("tcp://127.0.0.1:0", options);
    struct stat file = {};
    REQUIRE(::stat(options.token_file.c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0600);
    auto token = read_file(options.token_file);
    CHECK(token.size() == 65);
    auto second = brood::external("tcp://[::1]:0", options);
    CHECK(read_file(options.token_file) == token);
    CHECK_THAT(second->name(), ContainsSubstring("tcp://[::1]:"));
    auto taken = door->name().substr(door->name().find("tcp://"));
    CHECK_THROWS_AS(brood::external(taken, options), std::system_error);
    CHECK(door->workers() == 64);
    CHECK_FALSE(door->capabilities().graceful_signal);
    CHECK_FALSE(door->capabilities().starts);
}

TEST_WITHIN(30s, "Workers that come by themselves are given calls, and end with their pool",
            "[external]")
{
    yard at;
    auto one = at.worker();
    auto other = at.worker();
    pool_settings settings(at.door);
    settings.spawn.env.emplace().set("ROLE", "far");
    pool<variable> pool(settings);
    auto ready = co_await pool.ready();
    CHECK(ready);
    auto role = co_await pool("ROLE");
    CHECK(role == "far");
    auto join = co_await pool("BROOD_JOIN");
    CHECK(join == "none");
    auto token = co_await pool("BROOD_TOKEN_FILE");
    CHECK(token == "none");
    co_await pool.finish();
    auto status = co_await one.exit();
    CHECK(status.success());
    status = co_await other.exit();
    CHECK(status.success());
    CHECK(at.has_said("waits for workers at tcp://127.0.0.1:"));
}

TEST_WITHIN(30s, "A worker that is killed leaves its place to the next, and calls wait for that",
            "[external]")
{
    yard at(1);
    pool_settings settings(at.door);
    settings.attempts = brood::at_least_once();
    pool<my_pid> pool(settings);
    auto first = at.worker();
    auto pid = co_await pool();
    CHECK(pid == first.pid());
    first.kill(SIGKILL);
    co_await first.exit();
    auto second = at.worker();
    pid = co_await pool();
    CHECK(pid == second.pid());
    co_await pool.finish();
    co_await second.exit();
}

TEST_WITHIN(30s, "A call whose worker was killed is begun again elsewhere, if its policy says so",
            "[external]")
{
    yard at(1);
    pool_settings settings(at.door);
    settings.attempts = brood::at_least_once();
    pool<stand_still> pool(settings);
    auto first = at.worker();
    auto second = std::make_shared<child_process>();
    auto kill_when_begun = [&at, &first, second]() -> task<>
    {
        auto begun = co_await exists(at.begun);
        CHECK(begun);
        first.kill(SIGKILL);
        *second = at.worker();
    };
    asio::co_spawn(brood::default_executor(), kill_when_begun(), asio::detached);
    auto pid = co_await pool(at.begun);
    CHECK(pid == second->pid());
    co_await pool.finish();
    co_await first.exit();
    co_await second->exit();
}

TEST_WITHIN(30s, "A worker that is asked to end finishes its call, gets no more, and ends well",
            "[external]")
{
    yard at(2);
    pool<wait_for_file> pool(at.door);
    auto leaves = at.worker();
    auto go_on = at.folder / "go on";
    auto end_it = [&]() -> task<>
    {
        auto has_begun = co_await exists(at.begun);
        CHECK(has_begun);
        leaves.kill(SIGTERM);
        at.folder.write("go on", "");
    };
    asio::co_spawn(brood::default_executor(), end_it(), asio::detached);
    auto pid = co_await pool(at.begun, go_on);
    CHECK(pid == leaves.pid());
    auto words = co_await last_words(leaves);
    CHECK_THAT(words, ContainsSubstring("0: brood: a worker of primary process "));
    auto stays = at.worker();
    pid = co_await pool(at.begun, go_on);
    CHECK(pid == stays.pid());
    co_await pool.finish();
    co_await stays.exit();
}

TEST_WITHIN(30s, "Who comes when every place is taken waits until one is free", "[external]")
{
    yard at(1);
    pool_settings settings(at.door);
    settings.attempts = brood::at_least_once();
    pool<my_pid> pool(settings);
    auto one = at.worker();
    auto pid = co_await pool();
    CHECK(pid == one.pid());
    auto spare = at.worker();
    auto told = co_await spare.err().read_line();
    REQUIRE(told);
    CHECK_THAT(*told, ContainsSubstring("has no place now: every place is taken"));
    CHECK(pool.stats().workers.workers.size() == 1);
    one.kill(SIGKILL);
    pid = co_await pool();
    CHECK(pid == spare.pid());
    co_await pool.finish();
    co_await one.exit();
    co_await spare.exit();
}

TEST_WITHIN(30s, "A worker that waits for its primary ends when it is asked to", "[external]")
{
    yard at;
    auto address = at.address();
    at.door.reset(); // nobody listens there
    auto early = at.worker({}, address);
    auto told = co_await early.err().read_line();
    REQUIRE(told);
    CHECK_THAT(*told,
               ContainsSubstring("a worker waits: it cannot reach its primary: tcp:127.0.0.1:"));
    early.kill(SIGTERM);
    auto status = co_await early.exit();
    CHECK(status.success());
}

TEST_WITHIN(30s, "A wrong token, and what is no worker, cost no place and are told on both sides",
            "[external]")
{
    yard at(1);
    pool<my_pid> pool(at.door);
    auto started = co_await eventually(10s, [&] { return at.has_said("waits for"); });
    if (!started)
        asio::co_spawn(brood::default_executor(), pool.ready(), asio::detached);
    auto other = at.folder.write("other", std::string(64, '7') + "\n");
    auto wrong = at.worker(other);
    auto words = co_await last_words(wrong);
    CHECK_THAT(words, ContainsSubstring("1: brood: this process was to be a worker, and cannot be "
                                        "one: "));
    CHECK_THAT(words, ContainsSubstring("token of '" + other + "'"));
    CHECK(at.has_said("127.0.0.1 has another token"));

    auto missing = at.worker(at.folder / "missing");
    words = co_await last_words(missing);
    CHECK_THAT(words, ContainsSubstring("read the token file"));
    auto half = at.worker(at.folder.write("half", read_file(at.options.token_file).substr(0, 40)));
    words = co_await last_words(half);
    CHECK_THAT(words, ContainsSubstring("64 hexadecimal digits"));
    auto nowhere = at.worker({}, "head");
    words = co_await last_words(nowhere);
    CHECK_THAT(words, ContainsSubstring("BROOD_JOIN is 'head', and must be written"));

    co_await serve_one_worker(at, pool);
}

TEST_WITHIN(30s, "A worker whose pool has gone ends, however busy it is", "[external]")
{
    yard at(1);
    auto worker = at.worker();
    {
        pool<stand_still> pool(at.door);
        asio::co_spawn(brood::default_executor(), pool(at.begun), [](auto, auto) {});
        auto begun = co_await exists(at.begun);
        CHECK(begun);
    }
    auto status = co_await worker.exit();
    CHECK(status.code == 1);
}

TEST_WITHIN(30s, "A call that is late is cut off with its worker, and the place is free",
            "[external]")
{
    yard at(1);
    pool_settings settings(at.door);
    settings.grace = 50ms;
    pool<stand_still> pool(settings);
    auto worker = at.worker();
    auto ready = co_await pool.ready();
    CHECK(ready);
    brood::call_options soon;
    soon.deadline = 50ms;
    auto thrown = std::error_code();
    try
    {
        co_await pool.with(soon)(at.begun);
    }
    catch (const brood::error& why)
    {
        thrown = why.code();
    }
    CHECK(thrown == brood::errc::timed_out);
    auto status = co_await worker.exit();
    CHECK(status.code == 1);
    auto next = at.worker();
    auto pid = co_await pool(at.begun);
    CHECK(pid == next.pid());
    co_await pool.finish();
    co_await next.exit();
}

TEST_WITHIN(30s, "A place that waits in vain fails when it has a limit, and a process ends so",
            "[external]")
{
    yard at(1);
    at.options.join_within = 100ms;
    at.open();
    brood::spawn_options how;
    how.launcher = at.door;
    auto child = brood::fork_with<[](process&) -> task<>
                                  {
                                      co_return;
                                  }>(how);
    auto status = co_await child.exit();
    CHECK(status.lost);
    CHECK_FALSE(child.kill(SIGKILL));
    at.options.join_within.reset();
    at.open();
    how.launcher = at.door;
    auto waiting = brood::fork_with<[](process&) -> task<>
                                    {
                                        co_return;
                                    }>(how);
    CHECK(waiting.kill(0));
    CHECK(waiting.kill(SIGTERM));
    status = co_await waiting.exit();
    CHECK(status.signal == SIGTERM);
}

TEST_WITHIN(30s, "By TLS a worker knows its primary by the token, and nobody else is let in",
            "[external]")
{
    yard at(1);
    at.open("tls://127.0.0.1:0");
    pool<variable> pool(at.door);
    auto worker = at.worker();
    auto text = co_await pool(std::string("BROOD_JOIN"));
    CHECK(text == "none");
    auto other = at.folder.write("other", std::string(64, '7'));
    auto wrong = at.worker(other);
    auto words = co_await last_words(wrong);
    CHECK_THAT(words, ContainsSubstring("1: brood: this process was to be a worker"));
    CHECK_THAT(words, ContainsSubstring("token of '" + other + "'"));
    CHECK(at.has_said("127.0.0.1 has another token, or does not speak TLS"));
    auto plain = at.worker({}, "tcp" + at.address().substr(3));
    auto told = co_await plain.err().read_line();
    REQUIRE(told);
    CHECK_THAT(*told, ContainsSubstring("wants TLS (tls://)"));
    plain.kill(SIGTERM);
    co_await plain.exit();
    co_await pool.finish();
    co_await worker.exit();
}

TEST_CASE("Outside private networks nobody is awaited in the clear, unless that is said",
          "[external]")
{
    yard at;
    CHECK_THROWS_WITH(brood::external("tcp://0.0.0.0:0", at.options),
                      ContainsSubstring("set encrypt to true"));
    at.options.encrypt = false;
    CHECK_THAT(brood::external("tcp://0.0.0.0:0", at.options)->name(),
               ContainsSubstring("tcp://0.0.0.0:"));
    at.options.encrypt = true;
    CHECK_THAT(brood::external("tcp://0.0.0.0:0", at.options)->name(),
               ContainsSubstring("tls://0.0.0.0:"));
}

TEST_WITHIN(30s, "What a worker has said is worth nothing when somebody else says it again",
            "[external]")
{
    yard at(1);
    pool<my_pid> pool(at.door);
    auto overheard = visitor(at.endpoint());
    visit first;
    auto begun = co_await begin_visit(overheard, at.token(), first);
    REQUIRE(begun);
    CHECK(first.primary_knows);
    overheard->close();

    auto replay = visitor(at.endpoint());
    visit again;
    again.first = first.first;
    begun = co_await knock_by(replay, at.token(), again);
    REQUIRE(begun);
    CHECK(again.both.of_primary != first.both.of_primary); // another nonce
    auto what = brood::detail::to_block({"n1", "42", brood::detail::build_id()});
    auto told = co_await end_visit(replay, at.token(), first, what);
    CHECK_FALSE(told);
    CHECK(at.has_said("127.0.0.1 knows the name of the token, and not the token"));

    co_await serve_one_worker(at, pool);
}

TEST_WITHIN(30s, "A worker of another build is told so, and costs no place", "[external]")
{
    yard at(1);
    pool<my_pid> pool(at.door);
    std::vector<std::vector<std::string>> entries{{"n1"}, {"n1", "42", "another"}};
    std::vector<std::string> reasons{"it does not say what it is"};
    auto ours = brood::detail::build_id();
    if (ours.empty()) // nothing to compare with
        entries.pop_back();
    else
        reasons.push_back("the program of process 42 on n1 is another build (another) than that "
                          "of the primary (" +
                          ours + "): start both from one image");
    for (std::size_t index = 0; index < entries.size(); ++index)
    {
        auto other = visitor(at.endpoint());
        visit so_far;
        co_await begin_visit(other, at.token(), so_far);
        auto what = brood::detail::to_block(entries[index]);
        auto told = co_await end_visit(other, at.token(), so_far, what);
        REQUIRE(told);
        CHECK(*told == std::vector<std::string>{"refused", reasons[index]});
        CHECK(at.has_said("127.0.0.1 cannot come: " + reasons[index]));
    }
    co_await serve_one_worker(at, pool);
}

TEST_WITHIN(30s, "Who breaks off, scans or says too much costs no place and no descriptor",
            "[external]")
{
    yard at(1);
    pool<my_pid> pool(at.door);
    auto before = open_descriptors();
    auto token = at.token();
    auto bytes =
        brood::detail::to_bytes(brood::detail::knock{brood::detail::name_of_secret(token), token});
    for (std::size_t length : {0U, 1U, 11U, 28U, 59U, 60U}) // of the knock
    {
        auto one = visitor(at.endpoint());
        co_await stranger::write(one, std::span(bytes).first(length));
        one->close();
    }
    for (std::size_t length : {0U, 3U, 4U, 10U}) // of what it is
    {
        auto one = visitor(at.endpoint());
        visit so_far;
        co_await begin_visit(one, token, so_far);
        std::array<std::byte, 10> entry{std::byte{30}};
        co_await stranger::write(one, std::span(entry).first(length));
        one->close();
    }
    auto large = visitor(at.endpoint());
    visit so_far;
    co_await begin_visit(large, token, so_far);
    std::array<std::byte, 4> size{};
    brood::detail::store_little(size.data(), UINT32_MAX);
    co_await stranger::write(large, size);
    auto away = co_await is_sent_away(large);
    CHECK(away);
    auto scanner = visitor(at.endpoint());
    std::string request = "GET / HTTP/1.1\r\nHost: head\r\n" + std::string(60, 'x');
    co_await stranger::write(scanner, brood::detail::bytes_of(request));
    away = co_await is_sent_away(scanner);
    CHECK(away);
    large = scanner = nullptr;
    for (auto why : {"is no worker of brood, or went at once", "went while it came",
                     "says more than any worker does"})
    {
        auto sentence = std::string("127.0.0.1 ") + why;
        auto said = co_await eventually(10s, [&] { return at.has_said(sentence); });
        INFO(sentence);
        CHECK(said);
    }
    auto nothing_left = [&]
    {
        return changes(before, open_descriptors()).empty();
    };
    auto closed = co_await eventually(10s, nothing_left);
    CHECK(closed);

    co_await serve_one_worker(at, pool);
}

TEST_WITHIN(30s, "That workers whom somebody else starts are lost keeps no other from coming",
            "[external]")
{
    yard at(1);
    pool_settings settings(at.door);
    settings.attempts = brood::at_least_once();
    settings.restart.per_slot.failures = 0; // of those that count none is borne
    pool<my_pid> pool(settings);
    for (std::uint64_t last = 1; last < 4; ++last)
    {
        auto worker = at.worker();
        auto pid = co_await pool();
        CHECK(pid == worker.pid());
        worker.kill(SIGKILL);
        co_await worker.exit();
        auto is_free = [&]
        {
            auto stats = pool.stats();
            return stats.workers.workers.size() == 1 && stats.workers.workers.front().id > last;
        };
        auto free = co_await eventually(20s, is_free);
        CHECK(free);
    }
    CHECK(pool.stats().workers.failures == 3); // that they were lost is counted all the same
    co_await pool.stop();
}

TEST_WITHIN(30s, "A place that waits in vain for a worker is a failure of its pool", "[external]")
{
    yard at(1);
    at.options.join_within = 50ms;
    at.open();
    pool_settings settings(at.door);
    settings.restart.per_slot.failures = 0;
    pool<my_pid> pool(settings);
    auto thrown = std::string();
    try
    {
        co_await pool();
    }
    catch (const brood::error& failed)
    {
        thrown = failed.what();
    }
    CHECK_THAT(thrown, ContainsSubstring("failed more often than its restart policy allows"));
}

TEST_WITHIN(60s, "A worker that stays cut off ends by itself", "[external]")
{
    auto missing = other_machine::missing();
    if (!missing.empty())
    {
        brood::test::skip(missing);
        co_return;
    }
    other_machine there;
    yard at(1);
    at.options.orphan_grace = 300ms;
    at.open("tcp://10.213.77.1:0");
    pool_settings settings(at.door);
    settings.watchdog.tick = 100ms;
    settings.watchdog.stale_after = 500ms;
    settings.watchdog.end = brood::stop_policy({brood::stop_step::kill_tree(5s)});
    pool<my_pid> pool(settings);
    auto cut_off = at.worker({}, {}, there.name());
    auto pid = co_await pool();
    CHECK(pid == cut_off.pid());
    there.cut();
    auto status = co_await cut_off.exit();
    CHECK(status.code == 1);
    co_await pool.stop();
}

TEST_WITHIN(60s, "A worker that was cut off loses its place, and is not let back into it",
            "[external]")
{
    auto missing = other_machine::missing();
    if (!missing.empty())
    {
        brood::test::skip(missing);
        co_return;
    }
    other_machine there;
    yard at(1);
    at.options.orphan_grace = 20s; // it lives when the network is whole again
    at.open("tcp://10.213.77.1:0");
    pool_settings settings(at.door);
    settings.attempts = brood::at_least_once();
    settings.watchdog.tick = 100ms;
    settings.watchdog.stale_after = 500ms;
    settings.watchdog.end = brood::stop_policy({brood::stop_step::kill_tree(5s)});
    pool<my_pid> pool(settings);
    auto cut_off = at.worker({}, {}, there.name());
    auto pid = co_await pool();
    CHECK(pid == cut_off.pid());
    there.cut();
    auto is_lost = [&]
    {
        auto stats = pool.stats();
        return stats.workers.workers.size() == 1 && stats.workers.workers.front().id != 1;
    };
    auto lost = co_await eventually(20s, is_lost);
    CHECK(lost);
    auto next = at.worker();
    there.heal();
    auto after = co_await pool();
    CHECK(after == next.pid());
    co_await cut_off.exit();
    after = co_await pool();
    CHECK(after == next.pid());
    co_await pool.finish();
    co_await next.exit();
}
