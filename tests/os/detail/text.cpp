// SPDX-License-Identifier: BSL-1.0
#include <brood/os/detail/text.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/temporary_directory.hpp"

#include <cstdint>
#include <fstream>

using namespace brood::os::detail;
using brood::test::open_descriptors;
using brood::test::temporary_directory;

TEST_CASE("read_text() gives all of a file, however long it is and whatever its size says")
{
    temporary_directory folder;
    std::string content(10'000, 'x');
    content[5'000] = '\0';
    auto path = folder.write("long", content);
    auto before = open_descriptors();

    CHECK(read_text(path) == content);
    CHECK(read_text("/proc/self/stat")->starts_with(std::to_string(::getpid()) + " ("));
    CHECK(open_descriptors() == before);
}

TEST_CASE("read_text() gives nothing for what is not there, and for a folder")
{
    temporary_directory folder;

    CHECK_FALSE(read_text(folder / "missing"));
    CHECK_FALSE(read_text(folder.path().string()));
    CHECK(read_text(folder.write("empty", "")) == "");
}

TEST_CASE("number() takes a whole number and refuses any other text")
{
    CHECK(number<int>("12") == 12);
    CHECK(number<int>(" 12\n") == 12);
    CHECK(number<int>("-1") == -1);
    for (auto text : {"", " ", "max", "12x", "x12", "1 2", "1.5", "99999999999", "--1", "0x10"})
    {
        INFO(text);
        CHECK_FALSE(number<int>(text));
    }
    CHECK_FALSE(number<std::uint64_t>("-1"));
}

TEST_CASE("cut() and cut_word() take a text apart and end at its end")
{
    std::string_view rest = "a::b";
    CHECK(cut(rest, ":") == "a");
    CHECK(cut(rest, ":") == "");
    CHECK(cut(rest, ":") == "b");
    CHECK(rest.empty());
    CHECK(cut(rest, ":") == "");

    std::string_view words = "  one \ttwo\n";
    CHECK(cut_word(words) == "one");
    CHECK(cut_word(words) == "two");
    CHECK(cut_word(words) == "");
}

TEST_CASE("field() finds the line of exactly this key")
{
    auto text = "cpu family\t: 6\ncpu MHz\t\t: 2596.1\ncpu\t\t: POWER9, altivec: yes\nlast:";

    CHECK(field(text, "cpu") == "POWER9, altivec: yes");
    CHECK(field(text, "cpu MHz") == "2596.1");
    CHECK(field(text, "last") == "");
    CHECK_FALSE(field(text, "MHz"));
    CHECK_FALSE(field("", "cpu"));
}

TEST_CASE("lists() finds whole entries of a list")
{
    CHECK(lists("cpu,cpuacct", "cpu"));
    CHECK(lists("cpu,cpuacct", "cpuacct"));
    CHECK_FALSE(lists("cpuset,cpuacct", "cpu"));
    CHECK_FALSE(lists("", "cpu"));
}
