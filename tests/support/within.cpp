// SPDX-License-Identifier: BSL-1.0
#include "support/within.hpp"
#include "support/leftovers.hpp"

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>

#include <cstddef>
#include <exception>
#include <thread>
#include <utility>

namespace brood::test
{
namespace
{

constexpr std::size_t any_number = static_cast<std::size_t>(-1);

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
outcome run_body(std::function<task<>()> body, clock::time_point deadline, std::size_t turns,
                 const leftovers& before)
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

} // namespace

std::vector<std::string> complaints_within(clock::duration limit, std::function<task<>()> body)
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

void within(clock::duration limit, std::function<task<>()> body)
{
    for (auto& sentence : complaints_within(limit, std::move(body)))
        FAIL_CHECK(sentence);
}

void abandoned_at_every_step(const std::function<task<>()>& body, clock::duration limit)
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
