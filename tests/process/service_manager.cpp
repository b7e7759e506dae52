// SPDX-License-Identifier: BSL-1.0
#include <brood/process/service_manager.hpp>

#include "support/catch.hpp"
#include "support/notified_manager.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

using namespace std::chrono_literals;
using brood::service_manager;
using brood::task;
using brood::test::notified_manager;
using brood::test::temporary_directory;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

TEST_CASE("a service manager hears how we are, at a file or a name without one",
          "[service_manager]")
{
    temporary_directory folder;
    auto name = "@brood-test-" + std::to_string(::getpid());
    for (auto& path : {(folder.path() / "notify").string(), name})
    {
        notified_manager over(path);
        service_manager ours;
        REQUIRE(ours);

        ours.ready();
        CHECK(over.heard() == "READY=1");
        ours.status("4 of 4 ready\nand no second line");
        CHECK(over.heard() == "STATUS=4 of 4 ready");
        ours.reloading();
        CHECK_THAT(over.heard(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
        ours.stopping();
        CHECK(over.heard() == "STOPPING=1");
    }
}

TEST_CASE("without a service manager nothing happens", "[service_manager]")
{
    ::unsetenv("NOTIFY_SOCKET");
    service_manager none;
    CHECK_FALSE(none);
    none.ready();
    none.status("nobody hears this");
    CHECK_FALSE(none.watchdog());
}

TEST_CASE("no child speaks for us", "[service_manager]")
{
    temporary_directory folder;
    notified_manager over((folder.path() / "notify").string());
    ::setenv("WATCHDOG_USEC", "1000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    service_manager ours;

    CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
    CHECK(std::getenv("WATCHDOG_USEC") == nullptr);
    CHECK(std::getenv("WATCHDOG_PID") == nullptr);
}

TEST_CASE("lines of one's own are sent as they are", "[service_manager]")
{
    temporary_directory folder;
    notified_manager over((folder.path() / "notify").string());
    service_manager ours;
    ours.send("MAINPID=7\nX_OWN=1");
    CHECK(over.heard() == "MAINPID=7\nX_OWN=1");
}

TEST_CASE("a reload is told with the time of now, as the manager measures it", "[service_manager]")
{
    auto microseconds = []
    {
        timespec now = {};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1'000'000LL + now.tv_nsec / 1'000;
    };
    temporary_directory folder;
    notified_manager over((folder.path() / "notify").string());
    service_manager ours;
    auto before = microseconds();
    ours.reloading();
    auto told = over.heard();
    auto time = std::stoll(told.substr(told.rfind('=') + 1));
    CHECK(time >= before);
    CHECK(time <= microseconds());
}

TEST_WITHIN(10s, "nobody is told that we live who does not want to hear it", "[service_manager]")
{
    temporary_directory folder;
    notified_manager over((folder.path() / "notify").string());
    service_manager ours;
    co_await ours.keep_alive(); // at once
    CHECK(over.has_heard_all());

    service_manager none; // its variables are gone
    co_await none.keep_alive();
}

TEST_WITHIN(20s, "a watchdog is told twice in its time that we live, when it means us",
            "[service_manager]")
{
    temporary_directory folder;
    notified_manager over((folder.path() / "notify").string());
    ::setenv("WATCHDOG_USEC", "20000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    service_manager ours;
    CHECK(ours.watchdog() == 20ms);
    auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal stop;
    auto alive = ours.keep_alive();
    asio::co_spawn(executor, std::move(alive),
                   asio::bind_cancellation_slot(stop.slot(), asio::detached));
    for (int count = 0; count < 3; ++count)
    {
        co_await brood::sleep(10ms);
        CHECK(over.heard() == "WATCHDOG=1");
    }
    stop.emit(asio::cancellation_type::terminal);
    co_await brood::sleep(1ms);
    while (!over.has_heard_all())
        over.heard();
    co_await brood::sleep(30ms);
    CHECK(over.has_heard_all());
}

TEST_CASE("a watchdog for another process, or of no time, is none", "[service_manager]")
{
    temporary_directory folder;
    notified_manager over((folder.path() / "notify").string());
    ::setenv("WATCHDOG_USEC", "20000", 1);
    ::setenv("WATCHDOG_PID", "1", 1);
    CHECK_FALSE(service_manager().watchdog());

    ::unsetenv("WATCHDOG_PID");
    for (auto wrong : {"0", "-5", "soon", ""})
    {
        ::setenv("WATCHDOG_USEC", wrong, 1);
        CHECK_FALSE(service_manager().watchdog());
    }
}

TEST_CASE("a service manager that is gone is an error that names its socket", "[service_manager]")
{
    temporary_directory folder;
    auto path = (folder.path() / "nobody").string();
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    service_manager gone;
    try
    {
        gone.ready();
        FAIL("nobody heard it");
    }
    catch (const std::system_error& refused)
    {
        CHECK(refused.code() == std::errc::no_such_file_or_directory);
        CHECK_THAT(refused.what(), ContainsSubstring(path));
    }
}

TEST_CASE("a service manager that does not read holds nobody up", "[service_manager]")
{
    brood::test::temporary_directory folder;
    auto path = (folder.path() / "notify").string();
    brood::test::notified_manager deaf(path);
    brood::service_manager manager;
    auto begun = std::chrono::steady_clock::now();
    bool full = false;
    for (int word = 0; word < 10'000 && !full; ++word)
    {
        try
        {
            manager.status("busy");
        }
        catch (const std::system_error& refused)
        {
            full = refused.code().value() == EAGAIN;
        }
    }

    CHECK(full);
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(5));
}
