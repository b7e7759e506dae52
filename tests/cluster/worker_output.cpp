// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/worker_output.hpp>

#include <brood/cluster/cluster.hpp>
#include <brood/cluster/detail/output/line_queue.hpp>
#include <brood/cluster/supervisor.hpp>
#include <brood/process/spawn.hpp>

#include "support/catch.hpp"
#include "support/patience.hpp"
#include "support/process_table.hpp"
#include "support/race.hpp"
#include "support/shell.hpp"
#include "support/within.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::cluster;
using brood::cluster_settings;
using brood::process;
using brood::task;
using brood::worker_output;
using Catch::Matchers::ContainsSubstring;

namespace
{

cluster_settings settings_for(worker_output::goes where, std::size_t size = 1)
{
    cluster_settings settings;
    settings.size = size;
    settings.restart.when = brood::restart::temporary;
    settings.output.where = where;
    return settings;
}

void print(const std::string& text)
{
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

constexpr int lines_of_each = 200;

/// Prints lines in small pieces, as fast as it can.
task<> print_in_pieces(process& self)
{
    self.ready();
    for (int number = 0; number < lines_of_each; ++number)
    {
        print("line ");
        print(std::to_string(number));
        print(" of worker " + std::to_string(self.worker_id()) + '\n');
    }
    co_return;
}

/// A program whose workers print on its streams.
task<> print_by_primary(process&)
{
    cluster<print_in_pieces> workers(settings_for(worker_output::goes::printed, 4));
    for (;;)
    {
        auto ended = co_await workers.exit();
        if (!ended)
            break;
    }
}

task<> print_in_color(process&)
{
    auto settings = settings_for(worker_output::goes::printed);
    settings.output.in_color = true;
    cluster<print_in_pieces> workers(settings);
    co_await workers.exit();
}

constexpr std::size_t many_lines = 20'000;

task<> print_many_lines(process&)
{
    for (std::size_t number = 0; number < many_lines; ++number)
        print(std::string(99, 'x') + '\n');
    co_return;
}

task<> print_for_ever(process& self)
{
    self.ready();
    for (;;)
    {
        print(std::string(999, 'x') + '\n');
        co_await brood::sleep(0ms);
    }
}

/// A program that goes on although nobody reads what its workers print.
task<> answer_while_nobody_reads(process& self)
{
    auto settings = settings_for(worker_output::goes::printed, 2);
    settings.output.waiting = 100'000;
    cluster<print_for_ever> workers(settings);
    for (;;)
    {
        auto number = co_await self.message<int>();
        if (!number)
            break;
        self.send(*number + 1);
    }
    auto at_once = brood::drain_policy(1ms);
    co_await workers.stop(at_once);
}

task<> fail_with_a_word(process&)
{
    print("no such table: users\n");
    std::exit(3);
    co_return;
}

/// A program that ends with a code of its own when its workers fail too often.
task<> exit_on_limit(process&)
{
    auto settings = settings_for(worker_output::goes::printed);
    settings.restart.when = brood::restart::permanent;
    settings.restart.delay.base = 1ms;
    settings.restart.per_slot.failures = 2;
    settings.restart.on_limit = brood::on_limit::exit;
    settings.restart.exit_code = 42;
    cluster<fail_with_a_word> workers(settings);
    co_await brood::sleep(1h);
}

task<> exit_on_limit_as_supervisor(process&)
{
    brood::restart_policy policy;
    policy.delay.base = 1ms;
    policy.per_slot.failures = 2;
    policy.on_limit = brood::on_limit::exit;
    policy.exit_code = 43;
    brood::supervisor top(brood::strategy::one_for_one, policy);
    top.add<fail_with_a_word>("bad");
    top.start();
    co_await brood::sleep(1h);
}

brood::spawn_options with_pipes()
{
    brood::spawn_options options;
    options.stdout_ = brood::stdio::pipe();
    options.stderr_ = brood::stdio::pipe();
    return options;
}

task<> say_and_wait(process& self)
{
    print("hello\nhalf a li");
    std::fprintf(stderr, "careful\n");
    co_await self.message<int>();
}

} // namespace

TEST_WITHIN(30s, "lines of workers are printed whole, behind slot and pid, and none is missed",
            "[worker_output]")
{
    auto options = with_pipes();
    auto primary = brood::fork_with<print_by_primary>(brood::default_executor(), options);
    auto text = co_await primary.out().read_all();
    auto status = co_await primary.exit();
    CHECK(status.success());

    std::regex line(R"(\[([0-3])\.(\d+)\] line (\d+) of worker ([1-4]))");
    std::istringstream lines(text);
    std::map<std::string, int> next; // by worker
    for (std::string each; std::getline(lines, each);)
    {
        INFO(each);
        std::smatch parts;
        REQUIRE(std::regex_match(each, parts, line));
        CHECK(std::stoi(parts[1]) + 1 == std::stoi(parts[4]));
        CHECK(std::stoi(parts[3]) == next[parts[4]]++);
    }
    CHECK(next.size() == 4);
    for (auto& [worker, count] : next)
        CHECK(count == lines_of_each);
}

TEST_WITHIN(20s, "a program reads what its workers print, line by line", "[worker_output]")
{
    cluster<say_and_wait> workers(settings_for(worker_output::goes::read));
    auto only = workers.workers().at(0);
    std::map<int, std::string> first;
    while (first.size() < 2)
    {
        auto line = co_await workers.line();
        REQUIRE(line);
        CHECK(line->worker == 1);
        CHECK(line->slot == 0);
        CHECK(line->pid == only.pid());
        CHECK(line->lost == 0);
        first[line->stream] = line->text;
    }
    CHECK(first[1] == "hello");
    CHECK(first[2] == "careful");

    only.kill(SIGKILL);
    auto last = co_await workers.line();
    REQUIRE(last);
    CHECK(last->text == "half a li");
    CHECK(to_string(*last) == "[0." + std::to_string(last->pid) + "] half a li");
    auto none = co_await workers.line();
    CHECK_FALSE(none);
}

TEST_WITHIN(20s, "the end of a worker tells what it printed last", "[worker_output]")
{
    auto settings = settings_for(worker_output::goes::read);
    settings.output.kept = 20;
    cluster<fail_with_a_word> workers(settings);
    auto ended = co_await workers.exit();
    REQUIRE(ended);
    CHECK(ended->status.code == 3);
    CHECK(ended->last_output == "o such table: users\n");
}

TEST_WITHIN(20s, "a cluster that failed too often tells what the last worker printed",
            "[worker_output]")
{
    auto settings = settings_for(worker_output::goes::read);
    settings.restart.when = brood::restart::permanent;
    settings.restart.per_slot.failures = 0;
    cluster<fail_with_a_word> workers(settings);
    co_await workers.exit();
    std::string story;
    try
    {
        co_await workers.exit();
    }
    catch (const brood::error& failed)
    {
        story = failed.what();
    }
    CHECK_THAT(story, ContainsSubstring("it printed: no such table: users"));
}

TEST_WITHIN(20s, "a grandchild that keeps the streams of a worker open delays nothing",
            "[worker_output]")
{
    pid_t grandchild = 0;
    {
        cluster<[](process& self) -> task<>
                {
                    brood::spawn_options options;
                    options.on_drop = brood::on_drop::detach;
                    options.stdin_ = brood::stdio::ignore();
                    auto left = shell("echo from below; exec sleep 1000", options);
                    print("I go\n");
                    self.send(left.pid());
                    co_await self.flush();
                }>
            workers(settings_for(worker_output::goes::read));
        auto only = workers.workers().at(0);
        auto pid = co_await only.message<int>();
        REQUIRE(pid);
        grandchild = *pid;
        auto ended = co_await workers.exit();
        REQUIRE(ended);
        CHECK(ended->status.code == 0);
        CHECK_THAT(ended->last_output, ContainsSubstring("I go\n"));
        CHECK_FALSE(gone(grandchild));
    }
    ::kill(grandchild, SIGKILL);
    auto is_gone = [&]
    {
        return gone(grandchild);
    };
    auto ended = co_await eventually(5s, is_gone);
    CHECK(ended);
}

TEST_WITHIN(30s, "when nobody reads, the oldest lines are lost and counted, and no worker waits",
            "[worker_output]")
{
    auto settings = settings_for(worker_output::goes::read);
    settings.output.waiting = 64'000;
    settings.output.longest_line = 1'000;
    cluster<print_many_lines> workers(settings);
    auto ended = co_await workers.exit();
    REQUIRE(ended);
    CHECK(ended->status.code == 0);

    std::size_t read = 0, lost = 0;
    for (;;)
    {
        auto line = co_await workers.line();
        if (!line)
            break;
        ++read;
        lost += line->lost;
    }
    CHECK(read <= 64'000 / 99);
    CHECK(lost > 0);
    CHECK(read + lost == many_lines);
}

TEST_CASE("empty lines that nobody reads are lost as well", "[worker_output]")
{
    asio::io_context loop;
    brood::worker_output settings;
    settings.waiting = settings.longest_line = 1'000;
    brood::detail::line_queue lines(loop.get_executor(), settings);

    for (int count = 0; count < 100'000; ++count)
        lines.push({});

    CHECK(lines.pop().lost >= 99'000);
}

TEST_WITHIN(30s, "workers wait for their reader when they are told to", "[worker_output]")
{
    auto settings = settings_for(worker_output::goes::read);
    settings.output.full = worker_output::when_full::wait;
    settings.output.waiting = 64'000;
    settings.output.longest_line = 1'000;
    cluster<print_many_lines> workers(settings);
    auto only = workers.workers().at(0);
    // So much more than any pipe holds that it cannot have ended.
    for (int number = 0; number < 2'000; ++number)
        co_await workers.line();
    CHECK_FALSE(only.is_dead());

    std::size_t read = 2'000;
    for (;;)
    {
        auto line = co_await workers.line();
        if (!line)
            break;
        ++read;
        CHECK(line->lost == 0);
    }
    CHECK(read == many_lines);
}

TEST_WITHIN(20s, "a line that is too long comes in pieces", "[worker_output]")
{
    auto settings = settings_for(worker_output::goes::read);
    settings.output.longest_line = 10;
    cluster<[](process&) -> task<>
            {
                print("0123456789abcdefghij\n\nend\n");
                co_return;
            }>
        workers(settings);
    std::vector<std::string> all;
    for (;;)
    {
        auto line = co_await workers.line();
        if (!line)
            break;
        all.push_back(line->text);
    }
    CHECK(all == std::vector<std::string>{"0123456789", "abcdefghij", "", "end"});
}

TEST_WITHIN(20s, "a stream that was sent elsewhere stays there", "[worker_output]")
{
    auto settings = settings_for(worker_output::goes::read);
    settings.spawn.stderr_ = brood::stdio::pipe();
    cluster<say_and_wait> workers(settings);
    auto only = workers.workers().at(0);
    auto mine = co_await only.process().err().read_line();
    CHECK(mine == "careful");
    auto line = co_await workers.line();
    REQUIRE(line);
    CHECK(line->text == "hello");
    co_await workers.stop();
}

TEST_WITHIN(30s, "a primary whose own output nobody reads goes on", "[worker_output]")
{
    auto options = with_pipes();
    auto primary = brood::fork_with<answer_while_nobody_reads>(brood::default_executor(), options);
    auto begin = std::chrono::steady_clock::now();
    int rounds = 0;
    for (; std::chrono::steady_clock::now() - begin < 500ms; ++rounds)
    {
        primary.send(rounds);
        auto answer = co_await primary.message<int>();
        CHECK(answer == rounds + 1);
    }
    CHECK(rounds > 10);
    primary.disconnect();
    auto text = co_await primary.out().read_all();
    auto status = co_await primary.exit();
    CHECK(status.success());
    CHECK_THAT(text, ContainsSubstring(" lines of workers were lost]\n["));
    std::istringstream lines(text);
    std::regex line(R"(\[[01]\.\d+\] x*|\[\d+ lines of workers were lost\])");
    for (std::string each; std::getline(lines, each);)
        CHECK(std::regex_match(each, line));
}

TEST_WITHIN(20s, "a primary may end with a code when its workers fail too often", "[worker_output]")
{
    auto options = with_pipes();
    auto primary = brood::fork_with<exit_on_limit>(brood::default_executor(), options);
    auto said = co_await primary.err().read_all();
    auto status = co_await primary.exit();
    CHECK(status.code == 42);
    CHECK_THAT(said, ContainsSubstring("failed more often") &&
                         ContainsSubstring("ended with code 3") &&
                         ContainsSubstring("no such table: users"));

    auto top = brood::fork_with<exit_on_limit_as_supervisor>(brood::default_executor(), options);
    said = co_await top.err().read_all();
    status = co_await top.exit();
    CHECK(status.code == 43);
    CHECK_THAT(said, ContainsSubstring("bad: process"));
}

TEST_WITHIN(20s, "on a terminal each slot has a colour of its own, when that is wanted",
            "[worker_output]")
{
    brood::descriptor ours(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    REQUIRE(ours);
    ::grantpt(ours.get());
    ::unlockpt(ours.get());
    brood::descriptor terminal(::open(::ptsname(ours.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    REQUIRE(terminal);
    brood::spawn_options options;
    options.stdout_ = brood::stdio::from(std::move(terminal));
    auto primary = brood::fork_with<print_in_color>(brood::default_executor(), options);
    options.stdout_ = brood::stdio::inherit(); // or our end would keep it open
    std::string text;
    brood::pipe_reader from(brood::default_executor(), std::move(ours));
    while (text.find("line 0 of worker 1") == std::string::npos)
    {
        auto piece = co_await from.read_some();
        text += piece;
    }
    co_await primary.exit();
    CHECK_THAT(text, Catch::Matchers::StartsWith("\033[31m[0.") &&
                         ContainsSubstring("]\033[0m line 0 of worker 1"));
}

TEST_CASE("output settings that cannot be meant are refused", "[worker_output]")
{
    worker_output output;
    output.check();
    output.longest_line = 0;
    CHECK_THROWS_AS(output.check(), std::invalid_argument);
    output.longest_line = output.waiting + 1;
    CHECK_THROWS_AS(output.check(), std::invalid_argument);

    asio::io_context loop;
    brood::supervisor top(loop.get_executor());
    brood::child_settings child;
    child.output.where = worker_output::goes::read;
    CHECK_THROWS_AS(top.add<say_and_wait>("one", child), std::invalid_argument);
}

TEST_WITHIN(5s, "a line that comes just as the wait for it loses under || is not lost",
            "[worker_output]")
{
    using brood::detail::line_queue;
    for (int turns = -1; turns < 4; ++turns)
    {
        auto lines = std::make_shared<line_queue>(brood::default_executor(), worker_output());
        std::function<void()> happen = [&]
        {
            brood::output_line line;
            line.text = "a line";
            lines->push(line);
        };
        auto line = co_await raced(line_queue::next(lines), happen, turns);
        if (!line)
            line = co_await line_queue::next(lines); // or it is lost, and this waits for ever
        REQUIRE((line && *line));
        CHECK((*line)->text == "a line");
    }
}
