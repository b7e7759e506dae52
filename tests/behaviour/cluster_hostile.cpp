// SPDX-License-Identifier: BSL-1.0
// Workers that do what no worker should: one is ended, the others and the primary do not notice.
#include <brood/cluster/cluster.hpp>
#include <brood/process/internal/listening_socket.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/wire/internal/control.hpp>
#include <brood/wire/internal/link.hpp>

#include <brood/process/internal/listening_socket.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/wire/internal/control.hpp>

#include "support/catch.hpp"
#include "support/client.hpp"
#include "support/echo.hpp"
#include "support/own_memory.hpp"
#include "support/patience.hpp"
#include "support/within.hpp"

#include <cereal/types/string.hpp>

#include <stdexcept>
#include <string>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace brood::test;
using asio::ip::tcp;
using brood::cluster;
using brood::cluster_settings;
using brood::process;
using brood::task;
using brood::detail::send_control;
using Catch::Matchers::ContainsSubstring;

namespace
{

/// The way to the primary, for words that a worker cannot say otherwise.
struct open_process : process
{
    static const std::shared_ptr<brood::detail::link>& link_of(process& self)
    {
        return (self.*(&open_process::link))();
    }
};

brood::detail::listen_request request_for(std::uint16_t port)
{
    tcp::endpoint here(asio::ip::address_v4::loopback(), port);
    auto result = brood::detail::to_listen_request(here, {});
    result.number = 1;
    return result;
}

enum class lie : int
{
    answer_of_a_primary,
    connection_of_a_primary,
    number_twice,
    listeners_without_end,
    unknown_word,
};

/// Says one thing that no worker says; the others behave.
task<> lie_once(process& self, int which)
{
    auto& primary = *open_process::link_of(self);
    if (self.worker_id() == 1)
    {
        switch (static_cast<lie>(which))
        {
        case lie::answer_of_a_primary:
            send_control(primary, brood::detail::listen_reply{});
            break;
        case lie::connection_of_a_primary:
            send_control(primary, brood::detail::handed_connection{1});
            break;
        case lie::number_twice:
            send_control(primary, request_for(0));
            send_control(primary, request_for(0));
            break;
        case lie::listeners_without_end:
            for (std::uint32_t number = 1; number <= 5'000; ++number)
            {
                auto request = request_for(0);
                request.number = number;
                send_control(primary, request);
            }
            break;
        case lie::unknown_word:
            send_control(primary, std::string("let me in"));
            break;
        }
    }
    co_await echo(self);
}

/// Words that mean nothing, but are none that a worker must not say.
task<> say_nothing_that_matters(process& self)
{
    auto& primary = *open_process::link_of(self);
    send_control(primary, brood::detail::accepted_notice{77});
    send_control(primary, brood::detail::closed_notice{78});
    for (int count = 0; count < 100; ++count)
    {
        send_control(primary, brood::detail::online_notice{});
        send_control(primary, brood::detail::ready_notice{});
    }
    for (std::size_t length : {0u, 1u, 2u, 5u, 200u})
    {
        auto request = request_for(0);
        request.number = 100 + length;
        request.address.assign(length, '\1');
        request.family = 4711;
        send_control(primary, request);
    }
    co_await echo(self);
}

task<> flood(process& self)
{
    if (self.worker_id() != 1)
        co_return co_await echo(self);
    self.ready();
    std::string text(10'000, 'x');
    for (;;)
        if (!self.send(text))
            co_await self.drain();
}

cluster_settings of_two()
{
    cluster_settings settings;
    settings.size = 2;
    settings.restart.when = brood::restart::temporary;
    settings.stop = brood::drain_policy(100ms);
    return settings;
}

template <class Worker>
task<int> echoed(const Worker& worker, int number)
{
    worker.send(number);
    auto answer = co_await worker.template message<int>();
    co_return answer.value_or(-1);
}

} // namespace

TEST_CASE("a worker that forges words of a primary, or asks for what no worker asks for, is ended",
          "[cluster]")
{
    for (auto which : {lie::answer_of_a_primary, lie::connection_of_a_primary, lie::number_twice,
                       lie::listeners_without_end, lie::unknown_word})
        within(30s,
               [=]() -> task<>
               {
                   INFO("lie " << static_cast<int>(which));
                   cluster<lie_once> workers(of_two(), static_cast<int>(which));
                   auto honest = workers.workers().at(1);
                   auto ended = co_await workers.exit();
                   REQUIRE(ended);
                   CHECK(ended->id == 1);
                   CHECK(ended->cause == brood::exit_cause::unreachable);
                   CHECK_FALSE(ended->reason.empty());
                   auto answer = co_await echoed(honest, 7);
                   CHECK(answer == 7);
                   co_await workers.stop();
               });
}

TEST_WITHIN(20s, "words of a worker that mean nothing do nothing", "[cluster]")
{
    cluster<say_nothing_that_matters> workers(of_two());
    for (auto& each : workers.workers())
    {
        auto answer = co_await echoed(each, 7);
        CHECK(answer == 7);
    }
    co_await workers.stop();
}

TEST_WITHIN(30s, "a worker that floods its channel costs bounded memory, and can be ended",
            "[cluster]")
{
    cluster<flood> workers(of_two());
    auto flooder = workers.workers().at(0);
    auto honest = workers.workers().at(1);
    auto before = resident_memory();
    auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < 300ms)
    {
        auto answer = co_await echoed(honest, 7);
        CHECK(answer == 7);
    }
    CHECK(resident_memory() < before + (std::size_t{64} << 20));
    auto ended = co_await flooder.stop();
    CHECK(ended.cause == brood::exit_cause::stopped);
    co_await workers.stop();
}

TEST_WITHIN(20s, "a listener of events that throws ends itself alone", "[cluster]")
{
    cluster<echo> workers(of_two());
    auto listen = [](brood::event_stream events) -> task<>
    {
        co_await events.next();
        throw std::runtime_error("I have seen enough");
    };
    std::exception_ptr thrown;
    auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, listen(workers.events()),
                   [&](std::exception_ptr why) { thrown = why; });
    auto others = workers.events();
    for (auto& each : workers.workers())
    {
        auto answer = co_await echoed(each, 7);
        CHECK(answer == 7);
    }
    auto event = co_await others.next();
    CHECK(event);
    auto has_thrown = [&]
    {
        return thrown != nullptr;
    };
    auto told = co_await eventually(5s, has_thrown);
    CHECK(told);
    co_await workers.stop();
}

TEST_WITHIN(20s,
            "a worker whose program prints without end and is never read is ended all the same",
            "[cluster]")
{
    auto settings = of_two();
    settings.spawn.stdout_ = brood::stdio::pipe(); // which nobody reads here
    cluster<[](process& self) -> task<>
            {
                self.ready();
                co_await self.flush();
                std::string text(100'000, 'x');
                for (;;)
                    if (::write(1, text.data(), text.size()) == -1)
                        std::abort();
            }>
        workers(settings);
    co_await workers.ready();
    co_await workers.stop();
    auto ended = co_await workers.exit();
    REQUIRE(ended);
    CHECK(ended->status.signal == SIGTERM);
}
