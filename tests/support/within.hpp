// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>

#include "support/catch.hpp"
#include "support/patience.hpp"
#include "support/process_table.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace brood::test
{

/// What is wrong after running the body, as sentences; throws what the body threw.
std::vector<std::string> complaints_within(clock::duration limit, std::function<task<>()> body);

/// Runs a coroutine on a loop of its own and fails when it has not ended at the deadline, throws
/// what it threw, and fails when a descriptor, a child or a zombie is left after the loop.
///
/// The loop is the thread's default while the body runs. The body may be a lambda with captures: it
/// lives as long as the coroutine.
void within(clock::duration limit, std::function<task<>()> body);

/// Runs the body again and again, destroying its loop after 1, 2, 3 ... turns, until a run comes to
/// its end: at no point may being abandoned crash it or leave anything behind.
void abandoned_at_every_step(const std::function<task<>()>& body,
                             clock::duration limit = std::chrono::seconds(30));

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
