// SPDX-License-Identifier: BSL-1.0
#include <brood/process/stdio.hpp>

#include <brood/process/spawn.hpp>

#include "support/catch.hpp"
#include "support/scarce_descriptors.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::spawn_options;
using brood::stdio;
using brood::task;

namespace
{

std::string content(const std::string& path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Runs a script to its end.
task<> run(const std::string& script, const spawn_options& options)
{
    return [](brood::child_process child) -> task<>
    {
        auto status = co_await child.exit();
        CHECK(status.code == 0);
    }(shell(script, options));
}

/// A shell that is started while this process has no such standard stream.
brood::child_process shell_without(int stream, const std::string& script,
                                   const spawn_options& options)
{
    auto saved = brood::descriptor::duplicate_of(stream);
    ::close(stream);
    auto child = shell(script, options);
    ::dup2(saved.get(), stream);
    return child;
}

} // namespace

TEST_WITHIN(10s, "what is ignored ends at once and vanishes", "[stdio]")
{
    spawn_options options;
    options.stdin_ = stdio::ignore();
    options.stdout_ = stdio::ignore();
    co_await run("read x && exit 1; echo vanishes; test /dev/stdout -ef /dev/null", options);
}

TEST_WITHIN(10s, "files are read, written anew, and appended to", "[stdio]")
{
    temporary_directory folder;
    auto in = folder.write("in", "given\n");
    auto out = folder.write("out", "old content that is longer\n");
    spawn_options options;
    options.stdin_ = stdio::read(in);
    options.stdout_ = stdio::write(out);
    co_await run("cat", options);
    CHECK(content(out) == "given\n");

    options.stdout_ = stdio::append(out);
    co_await run("cat", options);
    CHECK(content(out) == "given\ngiven\n");
}

TEST_WITHIN(10s, "a file to write or to append to is made, one to read has to be there", "[stdio]")
{
    temporary_directory folder;
    auto out = (folder.path() / "out").string(), more = (folder.path() / "more").string();
    spawn_options options;
    options.stdout_ = stdio::write(out);
    options.stderr_ = stdio::append(more);
    co_await run("echo one; echo two >&2", options);
    CHECK(content(out) == "one\n");
    CHECK(content(more) == "two\n");

    options.stdin_ = stdio::read((folder.path() / "nothing").string());
    CHECK_THROWS_AS(shell("true", options), brood::spawn_error);
}

TEST_WITHIN(10s, "a relative path begins where this process is, and not the child", "[stdio]")
{
    temporary_directory here, there;
    auto given = here.write("in", "ours\n");
    there.write("in", "the child's\n");
    auto before = std::filesystem::current_path();
    std::filesystem::current_path(here.path());
    spawn_options options;
    options.cwd = there.path().string();
    options.stdin_ = stdio::read("in");
    auto text = co_await printed("cat", options);
    std::filesystem::current_path(before);

    CHECK(text == "ours\n");
}

TEST_WITHIN(10s, "a stream both ways cannot be opened by name", "[stdio]")
{
    spawn_options options;
    options.descriptors.emplace(5, stdio::duplex());
    auto text = co_await printed("(echo x > /dev/fd/5) 2>/dev/null || echo refused", options);
    CHECK(text == "refused\n");
}

TEST_CASE("a descriptor that is given away is closed with the last copy, one that is lent is not",
          "[stdio]")
{
    auto is_open = [](int number)
    {
        return ::fcntl(number, F_GETFD) != -1;
    };
    brood::descriptor file(::open("/dev/null", O_RDWR | O_CLOEXEC));
    auto number = file.get();
    auto lent = stdio::from(number);
    CHECK(lent.number() == number);
    CHECK_FALSE(lent.is_owned());
    {
        stdio given = std::move(file);
        CHECK(given.what() == stdio::kind::descriptor);
        CHECK(given.number() == number);
        CHECK(given.is_owned());
        auto copy = std::make_unique<stdio>(given);
        given = stdio::ignore();
        CHECK(is_open(number));
        copy.reset();
        CHECK_FALSE(is_open(number));
    }
    CHECK(stdio::ignore().number() == -1);
    CHECK_FALSE(stdio::pipe().is_owned());
}

TEST_CASE("a choice tells what it is", "[stdio]")
{
    auto file = stdio::append("log");
    CHECK(file.what() == stdio::kind::file);
    CHECK(file.path() == "log");
    CHECK(file.flags() == (O_WRONLY | O_CREAT | O_APPEND));
    CHECK(stdio::read("in").flags() == O_RDONLY);
    CHECK(stdio::write("out").flags() == (O_WRONLY | O_CREAT | O_TRUNC));
    CHECK(stdio::duplex().what() == stdio::kind::duplex);
    CHECK(stdio::pipe_to_child().what() == stdio::kind::pipe_to_child);
    CHECK(stdio::same_as_stdout().what() == stdio::kind::same_as_stdout);
}

TEST_CASE("without a descriptor left there is no pipe between two children", "[stdio]")
{
    auto taken = brood::test::all_but(1);
    std::error_code reason;
    try
    {
        stdio::pipe_between();
    }
    catch (const std::system_error& refused)
    {
        reason = refused.code();
    }
    taken.clear();
    CHECK(reason == std::errc::too_many_files_open);
}

TEST_WITHIN(10s, "stderr goes where stdout goes, in their order", "[stdio]")
{
    spawn_options options;
    options.stderr_ = stdio::same_as_stdout();
    auto text = co_await printed("echo 1; echo 2 >&2; echo 3", options);

    CHECK(text == "1\n2\n3\n");
}

TEST_WITHIN(10s, "an open descriptor is given, and ours closed unless somebody else owns it",
            "[stdio]")
{
    temporary_directory folder;
    auto path = (folder.path() / "file").string();
    brood::descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    spawn_options options;
    options.stdout_ = stdio::from(file.get());
    co_await run("echo borrowed", options);
    CHECK(::fcntl(file.get(), F_GETFD) != -1);

    options.stdout_ = std::move(file);
    co_await run("echo given", options);
    CHECK(content(path) == "borrowed\ngiven\n");
}

TEST_WITHIN(10s, "a pipe can be opened by its name", "[stdio][node-B17]")
{
    auto text = co_await printed("echo by name > /dev/stdout");
    CHECK(text == "by name\n");
}

TEST_WITHIN(10s, "a stream both ways answers over one descriptor", "[stdio]")
{
    spawn_options options;
    options.descriptors.emplace(5, stdio::duplex());
    auto child = shell("read line <&5; echo \"<$line>\" >&5", options);
    co_await child.in(5).write("there and back\n");
    auto line = co_await child.out(5).read_line();
    co_await child.exit();

    CHECK(line == "<there and back>");
}

TEST_WITHIN(10s, "a stream both ways can be read when what is written to it has ended", "[stdio]")
{
    spawn_options options;
    options.descriptors.emplace(5, stdio::duplex());
    auto child = shell("cat <&5 >&5; echo end >&5", options);
    co_await child.in(5).write("there ");
    child.in(5).close();
    auto text = co_await child.out(5).read_all();
    co_await child.exit();

    CHECK(text == "there end\n");
}

TEST_WITHIN(10s, "numbered pipes lead either way", "[stdio][node-53]")
{
    spawn_options options;
    options.descriptors.emplace(4, stdio::pipe_to_child());
    options.descriptors.emplace(7, stdio::pipe());
    auto child = shell("cat <&4 >&7", options);
    co_await child.in(4).write("through");
    child.in(4).close();
    auto text = co_await child.out(7).read_all();
    co_await child.exit();

    CHECK(text == "through");
}

TEST_WITHIN(10s, "the standard streams of a child block, whatever ours do", "[stdio]")
{
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    brood::descriptor reading(ends[0]), writing(ends[1]);
    spawn_options options;
    options.stdin_ = std::move(reading);
    options.stdout_ = stdio::pipe();
    auto child = brood::spawn("cat", {}, options);
    co_await brood::sleep(20ms);
    REQUIRE(::write(writing.get(), "late", 4) == 4);
    writing.reset();
    auto text = co_await child.out().read_all();
    co_await child.exit();

    CHECK(text == "late");
}

TEST_WITHIN(10s, "a stream that a child shares with us goes on not to block here", "[stdio]")
{
    auto blocks = [](int number)
    {
        return (::fcntl(number, F_GETFL) & O_NONBLOCK) == 0;
    };
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    brood::descriptor reading(ends[0]), writing(ends[1]);
    spawn_options options;
    options.stdin_ = stdio::from(reading.get());
    options.stdout_ = stdio::from(writing.get());
    auto child = brood::spawn("sh", {"-c", "read line; echo $line; read more"}, options);
    CHECK_FALSE(blocks(reading.get()));
    CHECK_FALSE(blocks(writing.get()));
    REQUIRE(::write(writing.get(), "to itself\n", 10) == 10);
    auto empty = [&]
    {
        char first = 0;
        return ::read(reading.get(), &first, 1) == -1 && errno == EAGAIN;
    };
    auto waits = co_await eventually(5s, empty);
    CHECK(waits);
    child.kill(SIGKILL);
    co_await child.exit();
}

TEST_WITHIN(10s,
            "a socket that a child shares with us keeps its mode, one that is given away blocks",
            "[stdio]")
{
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    brood::descriptor ours(ends[0]), theirs(ends[1]);
    auto blocks = [&]
    {
        return (::fcntl(theirs.get(), F_GETFL) & O_NONBLOCK) == 0;
    };
    auto give = [&](stdio to) -> task<>
    {
        spawn_options options;
        options.stdout_ = std::move(to);
        auto child = brood::spawn("echo", {"said"}, options);
        options.stdout_ = stdio::inherit();
        auto status = co_await child.exit();
        CHECK(status.success());
        char text[5] = {};
        CHECK(::read(ours.get(), text, sizeof text) == 5);
    };
    co_await give(stdio::from(theirs.get()));
    CHECK_FALSE(blocks());
    co_await give(stdio::from(theirs.duplicate()));
    CHECK_FALSE(blocks());

    // What another process has as well is no more ours.
    spawn_options held;
    held.descriptors.emplace(3, stdio::from(theirs.get()));
    auto keeper = brood::spawn("sleep", {"1000"}, held);
    auto number = theirs.get();
    spawn_options options;
    options.stdout_ = std::move(theirs);
    options.stdin_ = stdio::pipe();
    auto child = brood::spawn("cat", {}, options);
    CHECK((::fcntl(number, F_GETFL) & O_NONBLOCK) == 0);
    co_await child.in().write("x");
    child.in().close();
    co_await child.exit();
    keeper.kill(SIGKILL);
    co_await keeper.exit();
}

TEST_WITHIN(10s, "a standard stream that is closed here leads to the null device in a child",
            "[stdio]")
{
    co_await printed("true"); // what the loop itself needs has its numbers
    spawn_options options;
    options.stdout_ = stdio::pipe();
    auto child = shell_without(0, "test /dev/stdin -ef /dev/null && echo null", options);
    auto text = co_await child.out().read_all();
    co_await child.exit();

    CHECK(text == "null\n");
}

TEST_WITHIN(10s, "a pipe to a child does not take the number of a stream that is closed here",
            "[stdio]")
{
    co_await printed("true"); // what the loop itself needs has its numbers
    spawn_options options;
    options.stdin_ = options.stderr_ = stdio::pipe();
    auto child = shell_without(1, "test /dev/stdout -ef /dev/null && echo null >&2", options);
    auto text = co_await child.err().read_all();
    co_await child.exit();

    CHECK(text == "null\n");
}

TEST_WITHIN(10s, "what one child writes another reads, to its end", "[stdio]")
{
    auto [reading, writing] = stdio::pipe_between();
    brood::spawn_options first, second;
    first.stdout_ = std::exchange(writing, stdio::ignore());
    second.stdin_ = std::exchange(reading, stdio::ignore());
    second.stdout_ = stdio::pipe();
    auto producer = brood::spawn("/bin/sh", {"-c", "echo one; echo two"}, first);
    auto consumer = brood::spawn("wc", {"-l"}, second);
    first = second = {};
    auto count = co_await consumer.out().read_all();
    co_await producer.exit();
    auto status = co_await consumer.exit();

    CHECK(std::stoi(count) == 2);
    CHECK(status.success());
}

TEST_CASE("stdout cannot lead where stdout leads", "[stdio][node-109]")
{
    spawn_options options;
    asio::io_context loop;
    options.stdout_ = stdio::same_as_stdout();
    CHECK_THROWS_AS(brood::spawn(loop.get_executor(), "true", {}, options), brood::spawn_error);

    options.stdout_ = stdio::inherit();
    options.stdin_ = stdio::same_as_stdout();
    CHECK_THROWS_AS(brood::spawn(loop.get_executor(), "true", {}, options), brood::spawn_error);
}
