// SPDX-License-Identifier: BSL-1.0
#include <brood/pool/pool.hpp>

#include <brood/base/all.hpp>
#include <brood/base/detail/asio_net.hpp>

#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/write.hpp>

#include <cereal/types/memory.hpp>

#include "support/catch.hpp"
#include "support/pools.hpp"
#include "support/within.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using brood::pool;
using brood::pool_settings;
using brood::task;
using brood::test::workers;

namespace
{

int square(int number)
{
    return number * number;
}

pid_t my_pid()
{
    return ::getpid();
}

std::string greet(const std::string& who, int times)
{
    std::string result;
    for (int each = 0; each < times; ++each)
        result += "hello " + who + "; ";
    return result;
}

void does_nothing() {}

/// What came beside a call, and what goes back beside its result.
std::string text_of(const brood::shared_bytes& bytes, int times)
{
    std::string text;
    for (int each = 0; each < times; ++each)
        for (auto byte : bytes.bytes())
            text += static_cast<char>(byte);
    return text;
}

brood::shared_bytes share(const std::string& text)
{
    return brood::shared_bytes::copy_of(std::as_bytes(std::span(text)));
}

brood::descriptor same_file(brood::descriptor file, const std::string& text)
{
    if (::write(file.get(), text.data(), text.size()) < 0)
        throw std::runtime_error("cannot write");
    return file;
}

using local_socket = asio::local::stream_protocol::socket;

/// Says something, closes the socket, and goes on until nobody wants the result any more.
int greets_and_goes_on(local_socket to, const std::string& text)
{
    asio::write(to, asio::buffer(text));
    to.close();
    while (!brood::this_call().cancelled())
        std::this_thread::sleep_for(1ms);
    return 1;
}

/// What comes from a socket until its other end is closed.
task<std::string> read_to_end(local_socket& from)
{
    std::string text;
    std::error_code end;
    co_await asio::async_read(from, asio::dynamic_buffer(text),
                              asio::redirect_error(asio::use_awaitable, end));
    co_return text;
}

std::unique_ptr<int> boxed(int number)
{
    return std::make_unique<int>(number);
}

int throws(const std::string& what)
{
    throw std::invalid_argument(what);
}

int throws_a_number()
{
    throw 42;
}

task<int> sleeps_then_squares(int number)
{
    co_await brood::sleep(20ms);
    co_return number* number;
}

task<> waits()
{
    co_await brood::sleep(1ms);
}

struct model
{
    explicit model(std::string from) : weights(std::move(from)) {}

    std::string predict(const std::string& question)
    {
        return weights + ": " + question + " " + std::to_string(++asked);
    }

    std::string weights;
    int asked = 0;
};

} // namespace

TEST_WITHIN(20s, "a function is called in another process as if it were here", "[pool]")
{
    pool<square> squares(workers(2));

    int nine = co_await squares(3);
    CHECK(nine == 9);

    pool<my_pid> pids(workers(1));
    auto pid = co_await pids();
    CHECK(pid != ::getpid());
}

TEST_WITHIN(20s, "arguments and results are messages, also none and such that only move", "[pool]")
{
    pool<greet> greetings(workers(1));
    auto text = co_await greetings("you", 2);
    CHECK(text == "hello you; hello you; ");

    pool<does_nothing> nothing(workers(1));
    co_await nothing();

    pool<boxed> boxes(workers(1));
    auto box = co_await boxes(7);
    CHECK(*box == 7);
}

TEST_WITHIN(20s, "memory and descriptors travel beside calls and results", "[pool]")
{
    pool<share> makes(workers(1));
    auto bytes = co_await makes("shared");
    pool<text_of> reads(workers(1));
    auto text = co_await reads(bytes, 2);
    CHECK(text == "sharedshared");

    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    brood::descriptor out(ends[0]);
    brood::descriptor in(ends[1]);
    pool<same_file> files(workers(1));
    auto back = co_await files(std::move(in), "written there");
    CHECK(back);
    CHECK_FALSE(in);
    char read[20] = {};
    CHECK(::read(out.get(), read, sizeof read) == 13);
    CHECK(std::string(read) == "written there");
}

TEST_WITHIN(20s, "a socket is given to the worker: its end is not kept open here", "[pool]")
{
    pool<greets_and_goes_on> calls(workers(1));
    auto ready = co_await calls.ready();
    CHECK(ready);
    local_socket here(calls.executor()), there(calls.executor());
    asio::local::connect_pair(here, there);

    auto call = calls(std::move(there), "hello from there");
    auto text = co_await read_to_end(here);

    CHECK(text == "hello from there");
    CHECK(calls.stats().running == 1);
}

TEST_WITHIN(20s, "a pool calls a captureless lambda", "[pool]")
{
    constexpr auto twice = [](int number)
    {
        return 2 * number;
    };
    pool<twice> doubles(workers(1));
    auto result = co_await doubles(21);
    CHECK(result == 42);
}

TEST_WITHIN(20s, "a pool calls coroutines, several at once in one worker", "[pool]")
{
    auto settings = workers(1);
    settings.in_flight = 8;
    pool<sleeps_then_squares> squares(settings);
    auto ready = co_await squares.ready();
    CHECK(ready);

    auto begun = std::chrono::steady_clock::now();
    std::vector<task<int>> calls;
    for (int number = 0; number < 8; ++number)
        calls.push_back(squares(number));
    auto results = co_await brood::all(std::move(calls));
    CHECK(results == std::vector<int>{0, 1, 4, 9, 16, 25, 36, 49});
    CHECK(squares.stats().done == 8);
    CHECK(std::chrono::steady_clock::now() - begun < brood::test::patient(8 * 20ms));

    pool<waits> nothing(workers(1));
    co_await nothing();
}

TEST_WITHIN(20s, "a worker of a member function has one object, which keeps its state", "[pool]")
{
    pool<&model::predict> answers(workers(1), "weights.bin");

    auto first = co_await answers("what?");
    CHECK(first == "weights.bin: what? 1");
    auto second = co_await answers("why?");
    CHECK(second == "weights.bin: why? 2");
}

TEST_WITHIN(20s, "what the function throws arrives with its type and text", "[pool]")
{
    pool<throws> failures(workers(1));
    std::string type, text;
    try
    {
        co_await failures("no such thing");
    }
    catch (const brood::remote_error& thrown)
    {
        type = thrown.type();
        text = thrown.message();
    }
    CHECK(type == "std::invalid_argument");
    CHECK(text == "no such thing");
    CHECK(failures.stats().failed == 1);

    pool<throws_a_number> numbers(workers(1));
    type.clear();
    try
    {
        co_await numbers();
    }
    catch (const brood::remote_error& thrown)
    {
        type = thrown.type();
    }
    CHECK(type == "unknown");
}

TEST_CASE("what is thrown at the end of a caller leaves the loop, and the others go on", "[pool]")
{
    asio::io_context loop;
    brood::default_executor_scope scope(loop.get_executor());
    int results = 0;
    auto ask = [&](pool<square>& calls) -> task<>
    {
        auto nine = co_await calls(3);
        results += nine == 9;
    };
    auto throws = [](const std::exception_ptr&)
    {
        throw std::runtime_error("told");
    };
    auto body = [&]() -> task<>
    {
        pool<square> calls(workers(1));
        asio::co_spawn(loop, ask(calls), throws);
        auto first = ask(calls), second = ask(calls);
        co_await brood::all(std::move(first), std::move(second));
        co_await calls.stop();
    };
    asio::co_spawn(loop, body(), asio::detached);

    CHECK_THROWS_WITH(loop.run(), "told");
    loop.run();
    CHECK(results == 3);
}

TEST_WITHIN(60s, "many calls are spread over the workers, and each gets its own result", "[pool]")
{
    pool<square> squares(workers(4));

    std::vector<task<int>> calls;
    for (int number = 0; number < 5'000; ++number)
        calls.push_back(squares(number));
    auto results = co_await brood::all(std::move(calls));
    auto wrong = 0;
    for (int number = 0; number < 5'000; ++number)
        wrong += results[static_cast<std::size_t>(number)] == number * number ? 0 : 1;
    CHECK(wrong == 0);
    auto stats = squares.stats();
    CHECK(stats.done == 5'000);
    CHECK(stats.waiting == 0);
    CHECK(stats.running == 0);
    CHECK(stats.slots.size() == 4);
}

TEST_WITHIN(20s, "a pool tells what happens to its workers", "[pool]")
{
    using kind = brood::cluster_event::kind;
    pool<square> squares(workers(1));
    auto events = squares.events();
    auto result = co_await squares(3);
    CHECK(result == 9);
    co_await squares.finish();
    std::vector<kind> told;
    while (auto event = co_await events.next())
        told.push_back(event->what);
    CHECK(std::count(told.begin(), told.end(), kind::ready) == 1);
    CHECK(std::count(told.begin(), told.end(), kind::exit) == 1);

    auto settings = workers(1);
    settings.when = pool_settings::start::when_needed;
    pool<square> unused(settings);
    co_await unused.stop();
    CHECK_THROWS_AS(unused.events(), brood::error);
    auto reload = unused.reload();
    auto refused = co_await brood::test::code_of(std::move(reload));
    CHECK(refused == brood::errc::closed);
}
