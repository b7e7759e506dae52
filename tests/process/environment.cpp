// SPDX-License-Identifier: BSL-1.0
#include <brood/process/environment.hpp>

#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/within.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brood::environment;
using brood::task;
using lines = std::vector<std::string>;

TEST_CASE("an environment is a snapshot of the moment it is made", "[environment]")
{
    ::setenv("BROOD_TEST", "before", 1);
    environment snapshot;
    ::setenv("BROOD_TEST", "after", 1);

    CHECK(snapshot.get("BROOD_TEST") == "before");
    CHECK(environment().get("BROOD_TEST") == "after");
    ::unsetenv("BROOD_TEST");
    CHECK_FALSE(environment().get("BROOD_TEST"));
}

TEST_CASE("of a name that is there twice the first counts, and what is no variable does not",
          "[environment]")
{
    std::string first = "BROOD_TEST=first", second = "BROOD_TEST=second", none = "no variable";
    char* lines_there[] = {first.data(), second.data(), none.data(), nullptr};
    auto before = std::exchange(environ, lines_there);
    environment snapshot;
    environ = before;

    CHECK(snapshot.lines() == lines{"BROOD_TEST=first"});
}

TEST_CASE("variables are set and unset one by one, or named all", "[environment]")
{
    auto only = environment::only({{"B", "2"}, {"A", "1"}});
    CHECK(only.lines() == lines{"A=1", "B=2"});

    only.set("C", "").unset("A").unset("never there");
    CHECK(only.lines() == lines{"B=2", "C="});
    CHECK(only.get("C") == "");

    only.set("b", "=").set("B", "3");
    CHECK(only.lines() == lines{"B=3", "C=", "b=="});
}

TEST_CASE("names and values that no environment can hold are refused", "[environment]")
{
    environment any;
    CHECK_THROWS_AS(any.set("", "x"), std::invalid_argument);
    CHECK_THROWS_AS(any.set("A=B", "x"), std::invalid_argument);
    CHECK_THROWS_AS(any.set(std::string("A\0B", 3), "x"), std::invalid_argument);
    CHECK_THROWS_AS(any.set("A", std::string("x\0y", 3)), std::invalid_argument);
    CHECK_THROWS_AS(environment::only({{"", "x"}}), std::invalid_argument);
    CHECK(any == environment());
}

TEST_WITHIN(10s, "a child gets exactly the variables it is given", "[environment][node-14]")
{
    brood::spawn_options options;
    options.env = environment::only({{"EMPTY", ""}, {"case", "low"}, {"CASE", "up"}});
    options.stdout_ = brood::stdio::pipe();
    auto child = brood::spawn("/usr/bin/env", {}, options);
    auto text = co_await child.out().read_all();
    co_await child.exit();

    CHECK(text == "CASE=up\nEMPTY=\ncase=low\n");
}

TEST_WITHIN(10s, "without one of its own a child gets what is set when it starts",
            "[environment][node-8]")
{
    ::setenv("BROOD_TEST", "late", 1);
    auto text = co_await brood::test::printed("printf %s \"$BROOD_TEST\"");
    ::unsetenv("BROOD_TEST");

    CHECK(text == "late");
}
