// SPDX-License-Identifier: BSL-1.0
#include <brood/process/arguments.hpp>

#include <brood/process/spawn.hpp>

#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/within.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using brood::arguments;
using brood::task;
using words = std::vector<std::string>;

TEST_CASE("arguments are made of anything that is text", "[arguments]")
{
    std::string text = "text";
    std::string_view view = "view";
    std::filesystem::path path = "/a/path";

    CHECK(arguments().list().empty());
    CHECK(arguments("one").list() == words{"one"});
    CHECK(arguments("literal", text, view, path).list() ==
          words{"literal", "text", "view", "/a/path"});
    CHECK(arguments(words{"a", "b"}) == arguments("a", "b"));
}

TEST_CASE("a number is no argument", "[arguments]")
{
    CHECK_FALSE(std::is_constructible_v<arguments, int>);
    CHECK_FALSE(std::is_constructible_v<arguments, const char*, double>);
}

TEST_WITHIN(10s, "arguments reach the program literally, empty ones too", "[arguments][node-49]")
{
    words wanted{"", " ", "$HOME", "`id`", "a\nb", "*", "'\"", "--", "\xff"};
    words given{"-c", "for i; do printf '%s;' \"$i\"; done", "sh"};
    given.insert(given.end(), wanted.begin(), wanted.end());
    brood::spawn_options options;
    options.stdout_ = brood::stdio::pipe();
    auto child = brood::spawn("/bin/sh", given, options);
    auto text = co_await child.out().read_all();
    co_await child.exit();

    std::string expected;
    for (auto& each : wanted)
        expected += each + ';';
    CHECK(text == expected);
}
