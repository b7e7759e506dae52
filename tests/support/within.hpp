// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>
#include <brood/base/task.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/patience.hpp"
#include "support/process_table.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace brood::test
{

/// What a run of a body has left behind, as sentences: descriptors, children, zombies.
///
/// Looks once when it is made and compares with that later: what was there before is no fault.
class leftovers
{
public:
    leftovers() : descriptors_(open_descriptors()), children_(children()) {}

    std::vector<process_line> new_children() const
    {
        auto found = children();
        std::erase_if(found, [this](const process_line& line) { return known(line.pid); });
        return found;
    }

    /// Waits a moment for what the kernel is still taking down, then names what is left.
    std::vector<std::string> sentences() const
    {
        wait_until(std::chrono::milliseconds(250), [this] { return new_children().empty(); });
        auto found = changes(descriptors_, open_descriptors());
        for (auto& line : new_children())
            found.push_back(to_string(line));
        return found;
    }

private:
    bool known(pid_t pid) const
    {
        return std::any_of(children_.begin(), children_.end(),
                           [pid](const process_line& line) { return line.pid == pid; });
    }

    std::map<int, std::string> descriptors_;
    std::vector<process_line> children_;
};

/// How a body ended.
struct outcome
{
    bool done = false;
    std::exception_ptr thrown;
};

/// Runs the body on a loop of its own: at most so many turns, and not beyond the deadline.
///
/// Once the body has ended the loop goes on until no child is left, because a dropped child is
/// stopped and reaped in the background.
template <class Body>
outcome run_body(Body body, clock::time_point deadline, std::size_t turns, const leftovers& before)
{
    outcome result;
    asio::io_context loop(1);
    default_executor_scope scope(loop.get_executor());
    asio::co_spawn(loop, std::move(body),
                   [&result](std::exception_ptr thrown)
                   {
                       result.done = true;
                       result.thrown = thrown;
                   });
    while (!result.done && turns-- > 0 && clock::now() < deadline)
        loop.run_one_until(deadline);
    while (result.done && !before.new_children().empty() && clock::now() < deadline)
    {
        loop.restart();
        if (loop.run_for(std::chrono::milliseconds(2)) == 0)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return result;
}

inline constexpr std::size_t any_number = static_cast<std::size_t>(-1);

/// What is wrong after running the body, as sentences; throws what the body threw.
template <class Body>
std::vector<std::string> complaints_within(clock::duration limit, Body body)
{
    leftovers before;
    auto result = run_body(std::move(body), clock::now() + patient(limit), any_number, before);
    auto sentences = before.sentences();
    if (!result.done)
        sentences.insert(sentences.begin(), "the deadline passed");
    if (result.thrown)
    {
        for (auto& sentence : sentences)
            FAIL_CHECK(sentence);
        std::rethrow_exception(result.thrown);
    }
    return sentences;
}

/// Runs a coroutine on a loop of its own and fails when it has not ended at the deadline, throws
/// what it threw, and fails when a descriptor, a child or a zombie is left after the loop.
///
/// The loop is the thread's default while the body runs. The body may be a lambda with captures: it
/// lives as long as the coroutine.
template <class Body>
void within(clock::duration limit, Body body)
{
    for (auto& sentence : complaints_within(limit, std::move(body)))
        FAIL_CHECK(sentence);
}

/// Runs the body again and again, destroying its loop after 1, 2, 3 ... turns, until a run comes to
/// its end: at no point may being abandoned crash it or leave anything behind.
template <class Body>
void abandoned_at_every_step(Body body, clock::duration limit = std::chrono::seconds(30))
{
    leftovers before;
    auto deadline = clock::now() + patient(limit);
    for (std::size_t turns = 1; clock::now() < deadline; ++turns)
    {
        auto result = run_body(body, deadline, turns, before);
        for (auto& sentence : before.sentences())
            FAIL("abandoned after " << turns << " turns: " << sentence);
        if (result.thrown)
            std::rethrow_exception(result.thrown);
        if (result.done)
            return;
    }
    FAIL("the deadline passed");
}

} // namespace brood::test

using brood::test::abandoned_at_every_step;
using brood::test::within;

/// A test case that is a coroutine, run as within() runs it:
///
///     TEST_WITHIN(20s, "a sentence", "[tag]")
///     {
///         co_await ...;
///     }
#define TEST_WITHIN(limit, ...)                                                                    \
    BROOD_TEST_COROUTINE(BROOD_TEST_NAME(test_body_, __LINE__), limit, __VA_ARGS__)
#define BROOD_TEST_COROUTINE(body, limit, ...)                                                     \
    static brood::task<> body();                                                                   \
    TEST_CASE(__VA_ARGS__)                                                                         \
    {                                                                                              \
        brood::test::within(limit, &body);                                                         \
    }                                                                                              \
    static brood::task<> body()
#define BROOD_TEST_NAME(word, line) BROOD_TEST_JOIN(word, line)
#define BROOD_TEST_JOIN(word, line) word##line
