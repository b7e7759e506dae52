// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/file_watch.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <asio/bind_cancellation_slot.hpp>

#include <filesystem>
#include <fstream>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::file_watch;
using brood::task;

namespace
{

struct waiting
{
    bool told = false;

    task<> begin(file_watch& watch)
    {
        co_await watch.changed();
        told = true;
    }
};

} // namespace

TEST_WITHIN(30s, "a file that is written, replaced, removed or made is told, once each",
            "[file_watch]")
{
    temporary_directory folder;
    auto path = folder.path() / "one";
    auto other = folder.path() / "other";
    std::ofstream(path) << "a";
    file_watch watch({(folder.path() / "two").string(), path.string()});

    std::ofstream(path) << "bc";
    co_await watch.changed();

    std::filesystem::last_write_time(path, std::filesystem::file_time_type());
    co_await watch.changed();

    std::ofstream(other) << "de"; // of the same size
    std::filesystem::rename(other, path);
    co_await watch.changed();

    std::filesystem::remove(path);
    co_await watch.changed();

    std::ofstream(folder.path() / "two") << "f";
    co_await watch.changed();

    auto executor = co_await asio::this_coro::executor;
    waiting last;
    asio::cancellation_signal stop;
    bool over = false;
    asio::co_spawn(
        executor, last.begin(watch),
        asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr) { over = true; }));
    co_await brood::sleep(500ms);
    CHECK_FALSE(last.told);
    stop.emit(asio::cancellation_type::all);
    while (!over)
        co_await brood::sleep(1ms);
}

TEST_WITHIN(20s, "what happened before somebody waits is told", "[file_watch]")
{
    temporary_directory folder;
    auto path = folder.path() / "one";
    file_watch watch({path.string()});
    std::ofstream(path) << "a";
    co_await watch.changed();
    CHECK(std::filesystem::exists(path));
}
