// SPDX-License-Identifier: BSL-1.0
#include <brood/process/internal/vital_signs.hpp>

#include <brood/wire/internal/memory_file.hpp>

#include "support/catch.hpp"

#include <fcntl.h>

#include <chrono>
#include <system_error>

using namespace std::chrono_literals;
using brood::descriptor;
using brood::detail::to_traffic_stats;
using brood::detail::vital_signs;

TEST_CASE("each beat of a worker is one more for its primary", "[vital_signs]")
{
    auto file = vital_signs::make_file();
    CHECK(vital_signs::read(file).beats == 0);

    vital_signs worker(file);
    for (int beat = 0; beat < 3; ++beat)
        worker.beat();

    CHECK(vital_signs::read(file).beats == 3);
}

TEST_CASE("a primary knows how long ago the last beat was", "[vital_signs]")
{
    auto file = vital_signs::make_file();
    auto now = vital_signs::clock::now();
    CHECK_FALSE(vital_signs::read(file).age(now));

    vital_signs worker(file);
    worker.beat();

    auto later = vital_signs::clock::now() + 5s;
    CHECK(vital_signs::read(file).age(later).value() >= 5s);
    CHECK(vital_signs::read(file).age(now) == 0ms); // a worker that claims to be ahead
}

TEST_CASE("what a worker counts stands beside its beats", "[vital_signs]")
{
    auto file = vital_signs::make_file();
    vital_signs worker(file);
    static brood::traffic_counters counters;
    counters.count_request();

    counters.move_to(worker.traffic());
    counters.count_request();
    counters.count_sent(1000);
    worker.beat();

    auto seen = vital_signs::read(file);
    CHECK(seen.beats == 1);
    CHECK(to_traffic_stats(seen.traffic) == counters.read());
    CHECK(to_traffic_stats(seen.traffic).requests == 2);
    CHECK(to_traffic_stats(seen.traffic).bytes_sent == 1000);
}

TEST_CASE("figures outlive the object that a worker wrote them by", "[vital_signs]")
{
    auto file = vital_signs::make_file();
    static brood::traffic_counters counters;
    {
        vital_signs worker(file);
        counters.move_to(worker.traffic());
    }
    counters.count_received(5);

    CHECK(to_traffic_stats(vital_signs::read(file).traffic).bytes_received == 5);
}

TEST_CASE("a primary survives a worker that cuts the file off", "[vital_signs]")
{
    auto file = vital_signs::make_file();
    vital_signs worker(file);
    worker.beat();
    REQUIRE(::ftruncate(file.get(), 3) == 0);
    CHECK(vital_signs::read(file).beats == 1); // its first three bytes

    REQUIRE(::ftruncate(file.get(), 0) == 0);
    auto seen = vital_signs::read(file);

    CHECK(seen.beats == 0);
    CHECK_FALSE(to_traffic_stats(seen.traffic).any());
}

TEST_CASE("a worker refuses a file that is too small or none", "[vital_signs]")
{
    auto small = brood::detail::make_memory_file(8);
    descriptor device(::open("/dev/null", O_RDWR | O_CLOEXEC));

    CHECK_THROWS_AS(vital_signs(small), std::system_error);
    CHECK_THROWS_AS(vital_signs(device), std::system_error);
}

TEST_CASE("a worker of a later version finds room for more in the file", "[vital_signs]")
{
    auto file = vital_signs::make_file();
    std::uint64_t ahead = 7;

    CHECK(brood::detail::size_of_file(file) >= 4096);
    REQUIRE(::pwrite(file.get(), &ahead, sizeof ahead, 4096 - sizeof ahead) == sizeof ahead);
    vital_signs worker(file);
    worker.beat();
    CHECK(vital_signs::read(file).beats == 1);
}
