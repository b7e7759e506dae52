// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/detail/ports/shared_ports.hpp>

#include <brood/base/detail/asio.hpp>
#include <brood/cluster/cluster.hpp>
#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/lowered_limit.hpp"
#include "support/scarce_descriptors.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/ip/udp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include <cereal/types/string.hpp>
#include <cereal/types/utility.hpp>

#include <csignal>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <sys/socket.h>
#include <system_error>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::dispatch_policy;
using brood::task;

namespace
{

cluster_settings of(std::size_t size, const dispatch_policy& dispatch)
{
    cluster_settings settings;
    settings.size = size;
    settings.dispatch = dispatch;
    return settings;
}

task<> say_slot(brood::process& self)
{
    asio::ip::tcp::endpoint one(asio::ip::address_v4::loopback(), 0);
    auto listener = co_await self.listen(one);
    for (;;)
    {
        auto connection = co_await listener.accept();
        if (!connection)
            break;
        auto text = std::to_string(self.worker_slot());
        co_await asio::async_write(*connection, asio::buffer(text), asio::use_awaitable);
    }
}

/// Waits for a byte from the other side; false when it closes.
task<bool> is_answered(asio::ip::tcp::socket from)
{
    char byte = 0;
    try
    {
        co_await asio::async_read(from, asio::buffer(&byte, 1), asio::use_awaitable);
        co_return true;
    }
    catch (const std::system_error&)
    {
        co_return false;
    }
}

/// As say_slot, but in slot 0 not before it has heard or is to stop: then it closes its listener.
task<> accept_when_told(brood::process& self)
{
    asio::ip::tcp::endpoint one(asio::ip::address_v4::loopback(), 0);
    auto listener = co_await self.listen(one);
    if (self.worker_slot() == 0)
    {
        auto told = co_await self.message<int>();
        if (told)
            listener.close();
    }
    for (;;)
    {
        auto connection = co_await listener.accept();
        if (!connection)
            break;
        auto text = std::to_string(self.worker_slot());
        co_await asio::async_write(*connection, asio::buffer(text), asio::use_awaitable);
    }
    co_await self.shutdown();
}

/// Counts its connections, each of which it keeps until the client closes.
task<> keep_open(asio::ip::tcp::socket connection, std::size_t slot)
{
    brood::traffic_of_this_process().count_connection();
    auto text = std::to_string(slot);
    co_await asio::async_write(connection, asio::buffer(text), asio::use_awaitable);
    char byte = 0;
    auto into = asio::buffer(&byte, 1);
    co_await connection.async_read_some(into, brood::detail::use_tuple);
    brood::traffic_of_this_process().count_closed_connection();
}

task<> keep_all_open(brood::process& self)
{
    auto executor = co_await asio::this_coro::executor;
    auto listener = co_await self.listen(0);
    for (;;)
    {
        auto connection = co_await listener.accept();
        if (!connection)
            break;
        auto kept = keep_open(std::move(*connection), self.worker_slot());
        asio::co_spawn(executor, std::move(kept), asio::detached);
    }
}

/// A client of keep_all_open, and the slot that has it.
task<std::pair<asio::ip::tcp::socket, std::size_t>> connect_and_hear(std::uint16_t port)
{
    auto client = co_await connect_to(port);
    char letter = 0;
    auto into = asio::buffer(&letter, 1);
    co_await client.async_read_some(into, asio::use_awaitable);
    co_return std::pair(std::move(client), static_cast<std::size_t>(letter - '0'));
}

template <class Cluster>
task<std::uint16_t> common_port(Cluster& workers)
{
    std::set<std::string> addresses;
    for (auto& each : workers.workers())
    {
        co_await each.ready();
        addresses.insert(each.listening_at().at(0));
    }
    CHECK(addresses.size() == 1);
    co_return port_of(*addresses.begin());
}

/// keep_all_open, with few descriptors.
[[maybe_unused]] task<> keep_few_open(brood::process& self)
{
    lowered_limit few(RLIMIT_NOFILE, 40);
    co_await keep_all_open(self);
}

/// Opens and closes a listener at one port again and again.
task<> listen_again(brood::process& self, std::uint16_t port)
{
    asio::ip::tcp::endpoint at(asio::ip::address_v4::loopback(), port);
    std::string said = "ok";
    try
    {
        for (int count = 0; count < 3; ++count)
        {
            auto one = co_await self.listen(at);
            one.close();
        }
    }
    catch (const std::system_error& refused)
    {
        said = refused.what();
    }
    self.send(said);
    co_await self.shutdown();
}

/// Listens at a socket of its own once it was asked to stop; the code says whether that was closed.
task<> listen_late(brood::process& self)
{
    self.ready();
    co_await self.shutdown();
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor own(brood::default_executor(), any);
    auto late = co_await self.listen(brood::descriptor(own.release()));
    auto none = co_await late.accept();
    self.exit_code(none ? 1 : 40);
}

/// Says why it cannot listen there, or "ok", whenever it is asked.
task<> listen_when_asked(brood::process& self, std::uint16_t port)
{
    asio::ip::tcp::endpoint at(asio::ip::address_v4::loopback(), port);
    std::vector<brood::listener> open;
    for (;;)
    {
        auto asked = co_await self.message<int>();
        if (!asked)
            break;
        std::string said = "ok";
        try
        {
            auto one = co_await self.listen(at);
            open.push_back(std::move(one));
        }
        catch (const std::system_error& refused)
        {
            said = refused.code().message();
        }
        self.send(said);
    }
}

std::uint16_t free_port()
{
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor free(brood::default_executor(), any);
    return free.local_endpoint().port();
}

} // namespace

TEST_CASE("the code of a worker is the same under every policy", "[listener]")
{
    for (auto& dispatch :
         {dispatch_policy::shared(), dispatch_policy::round_robin(),
          dispatch_policy::least_loaded(), dispatch_policy::sticky(), dispatch_policy::reuse_port(),
          dispatch_policy::chosen([](auto from, auto) { return from.size() - 1; })})
        within(
            30s,
            [&]() -> task<>
            {
                cluster<say_slot> workers(of(3, dispatch));
                auto port = co_await common_port(workers);
                std::map<std::string, int> answers;
                for (int connection = 0; connection < 30; ++connection)
                {
                    auto answer = co_await ask(port);
                    ++answers[answer];
                }

                auto by_one = dispatch.what() == dispatch_policy::kind::sticky ||
                              dispatch.what() == dispatch_policy::kind::chosen;
                CHECK((!by_one || answers.size() == 1));
                if (dispatch.what() == dispatch_policy::kind::round_robin)
                    CHECK(answers == std::map<std::string, int>{{"0", 10}, {"1", 10}, {"2", 10}});
                co_await workers.stop();
            });
}

TEST_WITHIN(20s, "a second listener of a worker on port 0 has a port of its own", "[listener]")
{
    cluster<[](brood::process& self) -> task<>
            {
                auto one = co_await self.listen(0);
                auto other = co_await self.listen(0);
                self.send(std::pair(one.local_endpoint().port(), other.local_endpoint().port()));
                co_await self.shutdown();
            }>
        workers(of(2, dispatch_policy::shared()));
    using ports = std::pair<std::uint16_t, std::uint16_t>;
    auto first = co_await workers.workers()[0].message<ports>();
    auto second = co_await workers.workers()[1].message<ports>();

    REQUIRE((first && second));
    CHECK(first->first != first->second);
    CHECK(*first == *second);
    co_await workers.stop();
}

TEST_WITHIN(20s, "workers share a local socket, whose file goes with the cluster",
            "[listener][node-141]")
{
    temporary_directory folder;
    auto path = (folder.path() / "so:cket").string();
    cluster<[](brood::process& self, std::string at) -> task<>
            {
                asio::local::stream_protocol::endpoint here(at);
                auto listener = co_await self.listen(here);
                auto connection = co_await listener.accept();
                co_await self.shutdown();
            }>
        workers(of(2, dispatch_policy::shared()), path);
    for (auto& each : workers.workers())
    {
        auto ready = co_await each.ready();
        CHECK(ready);
        CHECK(each.listening_at().at(0) == path);
        CHECK(each.port() == 0);
    }
    CHECK(std::filesystem::exists(path));

    co_await workers.stop();
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_WITHIN(20s, "workers share a socket for datagrams", "[listener][node-127]")
{
    cluster<[](brood::process& self) -> task<>
            {
                asio::ip::udp::endpoint any(asio::ip::address_v4::loopback(), 0);
                auto socket = co_await self.bind(any);
                self.send(socket.local_endpoint().port());
                char bytes[16];
                auto into = asio::buffer(bytes);
                auto count = co_await socket.async_receive(into, asio::use_awaitable);
                self.send(std::string(bytes, count));
                co_await self.shutdown();
            }>
        workers(of(2, dispatch_policy::round_robin()));
    auto all = workers.workers();
    auto first = co_await all[0].message<std::uint16_t>();
    auto second = co_await all[1].message<std::uint16_t>();
    REQUIRE((first && second));
    CHECK(*first == *second);
    auto executor = co_await asio::this_coro::executor;
    asio::ip::udp::socket client(executor, asio::ip::udp::v4());
    asio::ip::udp::endpoint to(asio::ip::address_v4::loopback(), *first);
    client.send_to(asio::buffer("one", 3), to);
    client.send_to(asio::buffer("one", 3), to);
    auto answer = co_await all[0].message<std::string>();
    CHECK(answer == "one");
    co_await workers.stop();
}

TEST_WITHIN(20s, "a worker may close its socket for datagrams and bind there again", "[listener]")
{
    cluster<[](brood::process& self, std::uint16_t port) -> task<>
            {
                asio::ip::udp::endpoint at(asio::ip::address_v4::loopback(), port);
                for (int turn = 0; turn < 3; ++turn)
                    auto socket = co_await self.bind(at);
                self.send(std::string("ok"));
                co_await self.shutdown();
            }>
        workers(of(1, dispatch_policy::shared()), free_port());
    auto said = co_await workers.message<std::string>();
    co_await workers.stop();

    REQUIRE(said);
    CHECK(said->message == "ok");
}

TEST_WITHIN(20s, "a listener of somebody else's socket closes when its worker is asked to stop",
            "[listener]")
{
    cluster<[](brood::process& self) -> task<>
            {
                auto executor = co_await asio::this_coro::executor;
                asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
                asio::ip::tcp::acceptor open(executor, any);
                auto listener = co_await self.listen(brood::descriptor(open.release()));
                auto client = co_await listener.accept();
                self.exit_code(client ? 2 : 0);
            }>
        workers(of(1, dispatch_policy::shared()));
    co_await workers.ready();
    auto only = workers.workers().at(0);
    co_await workers.stop();
    auto ended = only.ended();

    REQUIRE(ended);
    CHECK(ended->status.success());
    CHECK(ended->uptime < 15s);
}

TEST_WITHIN(30s, "a connection of which two workers die is closed, and the others are served",
            "[listener]")
{
    cluster<[](brood::process& self) -> task<>
            {
                asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
                auto listener = co_await self.listen(any);
                for (;;)
                {
                    auto client = co_await listener.accept();
                    if (!client)
                        break;
                    char word = 0;
                    auto number = client->native_handle();
                    if (::recv(number, &word, 1, MSG_PEEK | MSG_DONTWAIT) == 1 && word == 'k')
                        std::_Exit(9); // before it can say that it has accepted
                    auto text = asio::buffer("served", 6);
                    co_await asio::async_write(*client, text, asio::use_awaitable);
                }
            }>
        workers(of(2, dispatch_policy::round_robin()));
    co_await workers.ready();
    auto port = workers.workers().at(0).port();
    for (auto& each : workers.workers())
        each.kill(SIGSTOP); // so that the word is there when one takes the connection
    auto deadly = co_await connect_to(port);
    std::string word = "k";
    co_await asio::async_write(deadly, asio::buffer(word), asio::use_awaitable);
    for (auto& each : workers.workers())
        each.kill(SIGCONT);
    auto answered = co_await is_answered(std::move(deadly));
    co_await workers.ready();
    auto answer = co_await ask(port);
    auto stats = workers.stats();
    co_await workers.stop();

    CHECK_FALSE(answered);
    CHECK(answer == "served");
    CHECK(stats.exits == 2);
    REQUIRE(stats.ports.size() == 1);
    CHECK(stats.ports[0].given_up == 1);
}

TEST_WITHIN(20s, "a worker that closes its listener is handed no more", "[listener]")
{
    cluster<[](brood::process& self) -> task<>
            {
                auto listener = co_await self.listen(0);
                if (self.worker_slot() == 0)
                {
                    co_await self.message<int>();
                    listener.close();
                    self.send(1);
                }
                for (;;)
                {
                    auto connection = co_await listener.accept();
                    if (!connection)
                        break;
                    auto text = std::to_string(self.worker_slot());
                    co_await asio::async_write(*connection, asio::buffer(text),
                                               asio::use_awaitable);
                }
                co_await self.shutdown();
            }>
        workers(of(2, dispatch_policy::round_robin()));
    auto port = co_await common_port(workers);
    auto first = workers.workers()[0];
    first.send(1);
    co_await first.message<int>();
    for (int connection = 0; connection < 10; ++connection)
    {
        auto answer = co_await ask(port);
        CHECK(answer == "1");
    }
    co_await workers.stop();
}

TEST_CASE("a connection that was handed over and not accepted is served once, whoever closes",
          "[listener][T12]")
{
    for (bool by_itself : {true, false})
        within(20s,
               [by_itself]() -> task<>
               {
                   cluster<accept_when_told> workers(of(2, dispatch_policy::round_robin()));
                   auto port = co_await common_port(workers);
                   auto first = workers.workers().at(0);
                   std::vector<asio::ip::tcp::socket> clients;
                   for (int count = 0; count < 4; ++count)
                   {
                       auto client = co_await connect_to(port);
                       clients.push_back(std::move(client));
                   }
                   std::multiset<std::string> answers;
                   for (std::size_t other : {1U, 3U}) // the primary has handed out all of them
                   {
                       auto answer = co_await read_all(std::move(clients[other]));
                       answers.insert(answer);
                   }
                   if (by_itself)
                       first.send(1);
                   else
                       co_await first.stop();
                   for (std::size_t other : {0U, 2U})
                   {
                       auto answer = co_await read_all(std::move(clients[other]));
                       answers.insert(answer);
                   }

                   CHECK(answers == std::multiset<std::string>{"1", "1", "1", "1"});
                   co_await workers.stop();
               });
}

TEST_WITHIN(20s, "a stop lets a worker serve what it was handed and has not accepted", "[listener]")
{
    cluster<accept_when_told> workers(of(1, dispatch_policy::round_robin()));
    auto port = co_await common_port(workers);
    auto one = co_await connect_to(port);
    auto other = co_await connect_to(port);
    co_await brood::sleep(50ms); // let them be handed over
    co_await workers.stop();
    auto first = co_await read_all(std::move(one));
    auto second = co_await read_all(std::move(other));

    CHECK(first == "0");
    CHECK(second == "0");
}

TEST_WITHIN(30s, "least loaded goes by the connections that are open", "[listener]")
{
    cluster<keep_all_open> workers(of(2, dispatch_policy::least_loaded()));
    auto port = co_await common_port(workers);
    std::map<std::size_t, std::vector<asio::ip::tcp::socket>> clients;
    for (int count = 0; count < 12; ++count)
    {
        auto [client, slot] = co_await connect_and_hear(port);
        clients[slot].push_back(std::move(client));
    }
    CHECK(clients[0].size() >= 5);
    CHECK(clients[1].size() >= 5);
    clients[1].clear();
    while (workers.stats().workers.at(1).traffic.open_connections != 0)
        co_await brood::sleep(1ms);

    // One may count twice until the primary has heard that it was accepted.
    for (int count = 0; count < 3; ++count)
    {
        auto [client, slot] = co_await connect_and_hear(port);
        CHECK(slot == 1);
        clients[slot].push_back(std::move(client));
    }
    co_await workers.stop();
}

TEST_CASE("a function that chooses no worker ends the cluster, which throws what it threw",
          "[listener]")
{
    for (bool throws : {true, false})
        within(20s,
               [throws]() -> task<>
               {
                   auto choose = [throws](auto from, auto)
                   {
                       return throws ? throw std::runtime_error("no idea") : from.size();
                   };
                   cluster<say_slot> workers(of(2, dispatch_policy::chosen(choose)));
                   auto port = co_await common_port(workers);
                   auto client = co_await connect_to(port);
                   std::string story;
                   try
                   {
                       for (;;)
                       {
                           auto ended = co_await workers.exit();
                           if (!ended)
                               break;
                       }
                   }
                   catch (const std::exception& thrown)
                   {
                       story = thrown.what();
                   }
                   CHECK(story == (throws ? "no idea"
                                          : "brood: dispatch policy: the function chose worker 2 "
                                            "of 2"));
               });
}

#if !defined(__SANITIZE_ADDRESS__) // UBSan looks at objects through a pipe, which it cannot open
task<> let_connections_wait(std::size_t window, std::chrono::milliseconds shortage)
{
    cluster<keep_few_open> workers(of(1, dispatch_policy::round_robin(window)));
    auto port = co_await common_port(workers);
    auto worker = workers.workers().at(0);
    std::vector<asio::ip::tcp::socket> clients;
    for (int count = 0; count < 50; ++count)
    {
        auto next = co_await connect_to(port);
        clients.push_back(std::move(next));
    }
    co_await brood::sleep(shortage);
    CHECK(worker.connected());
    for (auto& each : clients)
    {
        char slot = 0;
        auto into = asio::buffer(&slot, 1);
        co_await each.async_read_some(into, asio::use_awaitable);
        CHECK(slot == '0');
        each.close();
    }

    CHECK(worker.state() == brood::worker_state::ready);
    co_await workers.stop();
}

TEST_WITHIN(30s, "a worker without a descriptor left lets connections wait", "[listener]")
{
    co_await let_connections_wait(64, 500ms);
    co_await let_connections_wait(1, 50ms); // nobody else makes room for the next
}
#endif

TEST_WITHIN(20s, "a primary without a descriptor for its copy hands the connection over",
            "[listener]")
{
    cluster<say_slot> workers(of(2, dispatch_policy::round_robin()));
    auto port = co_await common_port(workers);
    auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::socket client(executor, asio::ip::tcp::v4());
    asio::ip::tcp::endpoint at(asio::ip::address_v4::loopback(), port);
    {
        lowered_limit few(RLIMIT_NOFILE, 256);
        auto taken = all_but(1);
        co_await client.async_connect(at, asio::use_awaitable);
        co_await brood::sleep(100ms);
    }

    auto text = co_await read_all(std::move(client));
    auto again = co_await ask(port);

    CHECK_FALSE(text.empty());
    CHECK_FALSE(again.empty());
    co_await workers.stop();
}

TEST_WITHIN(30s, "slots that are taken away take no clients with them", "[listener]")
{
    cluster<say_slot> workers(of(4, dispatch_policy::reuse_port()));
    auto port = co_await common_port(workers);
    co_await workers.scale(1);
    for (int count = 0; count < 40; ++count)
    {
        auto text = co_await ask(port);
        CHECK(text == "0");
    }
    for (auto size : {std::size_t(0), std::size_t(2), std::size_t(4)})
    {
        co_await workers.scale(size);
        for (int count = 0; size != 0 && count < 20; ++count)
        {
            auto text = co_await ask(port);
            CHECK_FALSE(text.empty());
        }
    }
    co_await workers.stop();
}

TEST_CASE("a worker may close its listener and listen there again", "[listener]")
{
    for (auto& dispatch : {dispatch_policy::shared(), dispatch_policy::round_robin()})
        within(20s,
               [&]() -> task<>
               {
                   cluster<listen_again> workers(of(1, dispatch), free_port());

                   auto said = co_await workers.message<std::string>();

                   CHECK(said->message == "ok");
                   co_await workers.stop();
               });
}

TEST_WITHIN(20s, "a worker that listens by itself once it was asked to stop finds that closed",
            "[listener]")
{
    auto settings = of(1, dispatch_policy::shared());
    settings.stop = brood::stop_policy(std::vector<brood::stop_step>{
        brood::stop_step::signal(0, 5s), brood::stop_step::kill_tree(5s)}); // not by its channel
    cluster<listen_late> workers(settings);
    co_await workers.ready();

    auto ended = co_await workers.workers().at(0).stop();

    CHECK(ended.status.code == 40);
    co_await workers.stop();
}

TEST_CASE("a worker that was refused a port shares it with the others once it is free",
          "[listener]")
{
    for (auto& dispatch : {dispatch_policy::shared(), dispatch_policy::round_robin()})
        within(20s,
               [&]() -> task<>
               {
                   asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
                   asio::ip::tcp::acceptor other(brood::default_executor(), any);
                   auto port = other.local_endpoint().port();
                   cluster<listen_when_asked> workers(of(2, dispatch), port);
                   co_await workers.ready();
                   std::vector<std::string> said;
                   for (std::size_t asked : {0U, 0U, 1U})
                   {
                       auto worker = workers.workers().at(asked);
                       worker.send(0);
                       auto answer = co_await worker.message<std::string>();
                       said.push_back(answer.value_or("gone"));
                       other.close();
                   }

                   auto taken = std::make_error_code(std::errc::address_in_use).message();
                   CHECK(said == std::vector<std::string>{taken, "ok", "ok"});
                   co_await workers.stop();
               });
}
