// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/arrival.hpp>

#include <brood/process/exec.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/remote/detail/bootstrap.hpp>
#include <brood/remote/detail/far_address.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <string>
#include <sys/socket.h>

using namespace std::chrono_literals;
using namespace brood::detail;
using brood::exec_result;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

/// This program, as a launcher starts it, with this on its stdin.
task<exec_result> arrive_with(std::string input)
{
    brood::exec_options options;
    options.env(brood::environment().set(elsewhere_variable, "stdin")).input(std::move(input));
    auto ended = co_await brood::exec_file("/proc/self/exe", {}, options);
    co_return ended;
}

bootstrap going_to(const std::string& endpoint)
{
    bootstrap one;
    one.shared = random_secret();
    one.within = 500ms;
    one.endpoints = {endpoint};
    return one;
}

/// A port where somebody listens and never answers.
struct deaf
{
    brood::descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::string endpoint;

    deaf()
    {
        auto at = internet_address("127.0.0.1", 0);
        brood::check(::bind(socket.get(), at->get(), at->size), "bind");
        brood::check(::listen(socket.get(), 8), "listen");
        sockaddr_in bound = {};
        socklen_t size = sizeof bound;
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size);
        endpoint = to_endpoint("127.0.0.1", ntohs(bound.sin_port));
    }
};

} // namespace

TEST_WITHIN(20s, "A worker that is not told where its primary is ends, and says so", "[arrival]")
{
    auto ended = co_await arrive_with("");
    CHECK(ended.status.code == 1);
    CHECK_THAT(ended.err, ContainsSubstring("does not say where its primary is"));
    ended = co_await arrive_with("Welcome to n1!\nyou have mail\n");
    CHECK(ended.status.code == 1);
}

TEST_WITHIN(20s, "A worker whose bootstrap is cut off, or of another version, says so", "[arrival]")
{
    auto line = to_line(going_to("tcp:127.0.0.1:1"));
    auto ended = co_await arrive_with(line.substr(0, 40) + "\n");
    CHECK(ended.status.code == 1);
    CHECK_THAT(ended.err, ContainsSubstring("cut off"));
    auto version = ' ' + std::to_string(bootstrap::version) + ' ';
    line.replace(line.find(version), version.size(), " 99 ");
    ended = co_await arrive_with(line);
    CHECK(ended.status.code == 1);
    CHECK_THAT(ended.err, ContainsSubstring("same brood"));
}

TEST_WITHIN(20s, "A worker that cannot reach its primary names every endpoint and why", "[arrival]")
{
    auto to = going_to("tcp:127.0.0.1:1");
    to.endpoints.push_back("unix:/nowhere/at/all");
    to.endpoints.push_back("nonsense");
    auto ended = co_await arrive_with(to_line(to));
    CHECK(ended.status.code == 1);
    CHECK_THAT(ended.err, ContainsSubstring("tcp:127.0.0.1:1: Connection refused"));
    CHECK_THAT(ended.err, ContainsSubstring("unix:/nowhere/at/all"));
    CHECK_THAT(ended.err, ContainsSubstring("nonsense"));
}

TEST_WITHIN(20s, "A worker does not wait for ever for a primary that does not answer", "[arrival]")
{
    deaf primary;
    auto ended = co_await arrive_with(to_line(going_to(primary.endpoint)));
    CHECK(ended.status.code == 1);
    CHECK_THAT(ended.err, ContainsSubstring("does not want it"));
}
