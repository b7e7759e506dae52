// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/within.hpp"

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace brood::test
{

/// Leaves the running test case out: its name and why are printed, and counted as skipped.
///
/// Catch2 2 has no word for it: the caller returns.
void skip(const std::string& why);

/// What main() does when all tests have run: the last that was left here first.
void at_end(std::function<void()> what);
void run_at_end();

/// Where a program is, in PATH and where daemons are; empty when it is not installed.
std::string installed(const std::string& program);

/// All processes but this one in whose environment, as they were started, this text stands.
std::vector<pid_t> processes_that_know(const std::string& text);

/// Ends all processes, of whoever's children they became, in whose environment this text stands:
/// the directory of a fixture, which all that is started in it has got. Waits until they are gone.
void end_all_that_know(const std::string& text);

/// A port of the loopback that nobody has now.
unsigned short free_port();

/// A fixture; nullptr, and the test is skipped, when Fixture::missing() says what is not there, or
/// when it does not start: not every container lets a daemon live.
template <class Fixture>
std::unique_ptr<Fixture> start_or_skip()
{
    static std::string why_not = Fixture::missing();
    try
    {
        if (why_not.empty())
            return std::make_unique<Fixture>();
    }
    catch (const std::exception& refused)
    {
        why_not = refused.what();
    }
    skip(why_not);
    return nullptr;
}

/// The same for one that takes long to start, once for all tests of a program.
template <class Fixture>
Fixture* shared_fixture()
{
    static std::unique_ptr<Fixture> made;
    if (!made)
    {
        made = start_or_skip<Fixture>();
        if (made)
            at_end([] { made.reset(); });
    }
    return made.get();
}

} // namespace brood::test

/// A test case that is a coroutine, as TEST_WITHIN, and has a fixture by this name:
///
///     TEST_WITH(ssh_server, server, 20s, "a sentence", "[tag]") { … server.pid() … }
#define TEST_WITH(fixture, name, limit, ...)                                                       \
    BROOD_TEST_FIXTURE(BROOD_TEST_NAME(test_body_, __LINE__), fixture, name, limit, __VA_ARGS__)
#define BROOD_TEST_FIXTURE(body, fixture, name, limit, ...)                                        \
    static brood::task<> body(fixture& name);                                                      \
    TEST_CASE(__VA_ARGS__)                                                                         \
    {                                                                                              \
        if (auto made = brood::test::shared_fixture<fixture>())                                    \
            brood::test::within(limit, [made] { return body(*made); });                            \
    }                                                                                              \
    static brood::task<> body([[maybe_unused]] fixture& name)
