// SPDX-License-Identifier: BSL-1.0
#include <brood/process/heartbeat.hpp>

#include "support/catch.hpp"

#include <fcntl.h>

#include <system_error>

using brood::descriptor;
using brood::detail::heartbeat;

TEST_CASE("each beat of a worker is one more for its primary", "[heartbeat]")
{
    auto file = heartbeat::make_file();
    CHECK(heartbeat::count(file) == 0);

    heartbeat heart(file);
    for (int beat = 0; beat < 3; ++beat)
        heart.beat();

    CHECK(heartbeat::count(file) == 3);
}

TEST_CASE("a primary survives a worker that cuts the file off", "[heartbeat]")
{
    auto file = heartbeat::make_file();
    REQUIRE(::ftruncate(file.get(), 0) == 0);

    CHECK_THROWS_AS(heartbeat::count(file), std::system_error);
}

TEST_CASE("a worker refuses a file that is too small or none", "[heartbeat]")
{
    auto small = brood::detail::make_memory_file(3);
    descriptor device(::open("/dev/null", O_RDWR | O_CLOEXEC));

    CHECK_THROWS_AS(heartbeat(small), std::system_error);
    CHECK_THROWS_AS(heartbeat(device), std::system_error);
}
