// SPDX-License-Identifier: BSL-1.0
#include <brood/process/internal/arrival.hpp>

#include <brood/process/exec.hpp>
#include <brood/process/internal/silence.hpp>
#include <brood/process/internal/worker_protocol.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

using namespace std::chrono_literals;
using brood::detail::silence;
using Catch::Matchers::ContainsSubstring;

TEST_WITHIN(20s, "A program that does not know how to go to its primary says what it needs",
            "[arrival]")
{
    brood::exec_options options;
    options.env(brood::environment().set(brood::detail::elsewhere_variable, "stdin"));
    auto ended = co_await brood::exec_file("/proc/self/exe", {}, options);
    CHECK(ended.status.code == 1);
    CHECK_THAT(ended.err, ContainsSubstring("include <brood/remote.hpp>"));
    CHECK(ended.out.empty());
}

TEST_CASE("Silence is counted by turns, and ends with a word", "[arrival]")
{
    silence of;
    CHECK(of.turn(100ms) == 100ms);
    CHECK(of.turn(100ms) == 200ms);
    of.hear();
    CHECK(of.turn(100ms) == 0ms);
    CHECK(of.turn(50ms) == 50ms);
}
