// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/detail/bootstrap.hpp>

#include "support/catch.hpp"

#include <string>

using namespace std::chrono_literals;
using namespace brood::detail;
using Catch::Matchers::ContainsSubstring;

namespace
{

bootstrap sample()
{
    bootstrap one;
    one.shared = random_secret();
    one.within = 1500ms;
    one.grace = 0ms;
    one.epoch = 7;
    one.worker = "3.1";
    one.endpoints = {"tcp:127.0.0.1:7000", "tcp:[::1]:7001"};
    return one;
}

std::string text_of(const bootstrap& one)
{
    auto line = to_line(one);
    REQUIRE(line.back() == '\n');
    line.pop_back();
    return line;
}

} // namespace

TEST_CASE("A bootstrap is read as it was written", "[bootstrap]")
{
    auto one = sample();
    CHECK(read_bootstrap(text_of(one)) == one);
    one.worker.clear();
    CHECK(read_bootstrap(text_of(one)) == one);
    one.certificate = random_secret();
    CHECK(read_bootstrap(text_of(one)) == one);
}

TEST_CASE("A line that is no bootstrap is somebody else's", "[bootstrap]")
{
    for (auto line : {"", "Welcome to n1!", "brood-workers 1 x", " "})
        CHECK_FALSE(read_bootstrap(line));
}

TEST_CASE("A bootstrap that is cut off anywhere is refused", "[bootstrap]")
{
    auto whole = text_of(sample());
    auto last = whole.rfind(" tcp:127"); // with one endpoint it is complete
    for (std::size_t length = std::string("brood-worker").size(); length < last; ++length)
        CHECK_THROWS_AS(read_bootstrap(whole.substr(0, length)), brood::error);
}

TEST_CASE("A bootstrap of another version says that both must be built alike", "[bootstrap]")
{
    auto line = text_of(sample());
    line.replace(line.find(" 2 "), 3, " 3 ");
    CHECK_THROWS_WITH(read_bootstrap(line), ContainsSubstring("same brood"));
}

TEST_CASE("A later line carries a signal, and nothing else is one", "[bootstrap]")
{
    CHECK(signal_line(15) == "signal 15\n");
    CHECK(signal_of_line("signal 15") == 15);
    for (auto line : {"", "signal", "signal ", "signal x", "signal 15x", "signal  15", "kill 9"})
        CHECK(signal_of_line(line) == 0);
}

TEST_CASE("Secrets are never the same, and are read as they were written", "[bootstrap]")
{
    auto one = random_secret(), other = random_secret();
    CHECK(one != other);
    CHECK(to_hex(one).size() == 64);
    CHECK(secret_from_hex(to_hex(one)) == one);
    auto text = to_hex(one);
    CHECK_FALSE(secret_from_hex(text.substr(1)));
    text[5] = 'g';
    CHECK_FALSE(secret_from_hex(text));
}
