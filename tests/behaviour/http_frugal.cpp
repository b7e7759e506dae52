// SPDX-License-Identifier: BSL-1.0
// What a server costs: nothing new for a request, little for an idle connection, the same memory
// for a body of any length.

#include <brood/base/all.hpp>
#include <brood/base/loop.hpp>
#include <brood/http/server.hpp>
#include <brood/process/run.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/own_memory.hpp"
#include "support/patience.hpp"
#include "support/raw_client.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

using brood::task;
using brood::test::raw_client;
namespace http = brood::http;

namespace
{

task<> hello(http::request&, http::response& response)
{
    response.set("Content-Type", "text/plain");
    co_await response.end("hello\n");
}

// Sends the same request again and again, and allocates nothing itself.
task<> ask(raw_client& client, std::size_t times)
{
    constexpr std::string_view question = "GET /path HTTP/1.1\r\nHost: localhost:8080\r\n\r\n";
    std::array<char, 4'096> answer;
    for (std::size_t count = 0; count < times; ++count)
    {
        auto from = asio::buffer(question);
        co_await client.socket().async_write_some(from, asio::use_awaitable);
        auto into = asio::buffer(answer);
        co_await client.socket().async_read_some(into, asio::use_awaitable);
    }
}

// Plain descriptors, so that what the client costs is not counted.
class idle_clients
{
public:
    ~idle_clients()
    {
        for (auto each : sockets_)
            ::close(each);
    }

    // Connects, and makes one request whose answer stays unread.
    void add(http::server& server)
    {
        constexpr std::string_view question = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        int ends[2] = {-1, -1};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        sockets_.push_back(ends[0]);
        REQUIRE(::write(ends[0], question.data(), question.size()) > 0);
        asio::local::stream_protocol::socket other(brood::default_executor());
        other.assign(asio::local::stream_protocol(), ends[1]);
        server.adopt(std::move(other));
    }

private:
    std::vector<int> sockets_;
};

// Sends back what it gets, as it comes.
task<> echo(http::request& request, http::response& response)
{
    for (;;)
    {
        auto piece = co_await request.chunk();
        if (!piece)
            break;
        co_await response.write(*piece);
    }
}

task<> upload(raw_client& client, std::size_t megabytes)
{
    std::string piece(1U << 20, 'x');
    for (std::size_t count = 0; count < megabytes; ++count)
        co_await client.send("100000\r\n" + piece + "\r\n");
    co_await client.send("0\r\n\r\n");
}

task<std::size_t> read_at_least(raw_client& client, std::size_t wanted)
{
    std::vector<char> bytes(1U << 20);
    std::size_t count = 0;
    while (count < wanted)
    {
        auto into = asio::buffer(bytes);
        count += co_await client.socket().async_read_some(into, asio::use_awaitable);
    }
    co_return count;
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

} // namespace

TEST_CASE("a small request allocates nothing once the server is warm", "[http]")
{
    allocations used;
    auto measure = [&]() -> task<>
    {
        http::server server(hello);
        raw_client one(server), other(server);
        for (auto client : {&one, &other, &one, &other})
            co_await ask(*client, 20);
        auto before = allocations::total();
        co_await ask(one, 1'000);
        co_await ask(other, 1'000);
        used = allocations::total() - before;
    };

    auto code = brood::run(measure);

    CHECK(code == 0);
    // Not one for each of the 2,000 requests; a tick of the clock that looks for late ones may.
    CHECK(used.count < 20);
}

TEST_CASE("an idle connection costs less than 8 KiB", "[http]")
{
    if (is_sanitized)
        return; // it sees what the sanitizer keeps

    rlimit files = {};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    const std::size_t count = std::min<std::size_t>(10'000, files.rlim_cur / 2 - 300);
    REQUIRE(count >= 1'000);
    auto measure = [&]() -> task<>
    {
        http::server server(hello);
        idle_clients warm, clients;
        for (int number = 0; number < 100; ++number)
            warm.add(server);
        co_await brood::sleep(std::chrono::milliseconds(10));
        auto before = brood::test::resident_memory();
        for (std::size_t number = 0; number < count; ++number)
        {
            clients.add(server);
            if (number % 100 == 0)
                co_await brood::sleep(std::chrono::milliseconds(0));
        }
        auto all_idle = [&]
        {
            return server.idle() == count + 100;
        };
        auto served = co_await brood::test::eventually(std::chrono::seconds(5), all_idle);
        CHECK(served);
        auto each = (brood::test::resident_memory() - before) / count;
        CAPTURE(each);
        CHECK(each <= 8'192);
    };

    auto code = brood::run(measure);

    CHECK(code == 0);
}

TEST_CASE("a body of any length goes through in the same memory, both ways at once", "[http]")
{
    std::size_t grown = 0, echoed = 0;
    auto measure = [&]() -> task<>
    {
        http::server server(echo);
        raw_client client(server);
        co_await client.send("POST / HTTP/1.1\r\nHost: localhost\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n");
        auto before = brood::test::resident_memory();
        auto sending = upload(client, 256);
        auto reading = read_at_least(client, 256U << 20);
        auto read = co_await brood::all(std::move(sending), std::move(reading));
        echoed = std::get<1>(read);
        grown = brood::test::resident_memory() - before;
    };

    auto code = brood::run(measure);

    CHECK(code == 0);
    CHECK(echoed >= 256U << 20);
    CHECK((is_sanitized || grown < 8U << 20)); // AddressSanitizer keeps what was freed
}
