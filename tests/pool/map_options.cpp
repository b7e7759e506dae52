// SPDX-License-Identifier: BSL-1.0
#include <brood/pool/map_options.hpp>

#include <brood/pool/detail/chunk_size.hpp>

#include "support/catch.hpp"

using brood::detail::chunk_size;
using namespace std::chrono_literals;

TEST_CASE("chunks begin with one item, and grow eightfold at most with an answer", "[map_options]")
{
    chunk_size size({});
    CHECK(size.items() == 1);

    size.measured(1, 100ns, 10);
    CHECK(size.items() == 8);

    size.measured(8, 800ns, 80);
    CHECK(size.items() == 64);
}

TEST_CASE("chunks grow until one takes the time that was asked for", "[map_options]")
{
    chunk_size size({.chunk_time = 1ms});
    for (int answers = 0; answers < 10; ++answers)
        size.measured(size.items(), size.items() * 10us, size.items());

    CHECK(size.items() == 100);
}

TEST_CASE("chunks grow until an answer has the bytes that were asked for", "[map_options]")
{
    chunk_size size({.chunk_bytes = 1000});
    for (int answers = 0; answers < 10; ++answers)
        size.measured(size.items(), size.items() * 1ns, size.items() * 50);

    CHECK(size.items() == 20);
}

TEST_CASE("items that take long, or answer much, go one by one", "[map_options]")
{
    chunk_size size({});

    size.measured(1, 1h, 10);
    CHECK(size.items() == 1);

    size.measured(1, 1ns, 100 << 20);
    CHECK(size.items() == 1);
}

TEST_CASE("one slow answer, as a first one is, does not keep chunks small", "[map_options]")
{
    chunk_size size({});
    size.measured(1, 10ms, 1);
    for (int answers = 0; answers < 4; ++answers)
        size.measured(size.items(), size.items() * 100ns, size.items());

    CHECK(size.items() >= 4096);
}

TEST_CASE("an answer to a few items does not say that many may follow", "[map_options]")
{
    chunk_size size({});
    for (int answers = 0; answers < 5; ++answers)
        size.measured(2, 2ns, 2);

    CHECK(size.items() == 16);
}

TEST_CASE("a lost worker halves chunks, down to one item", "[map_options]")
{
    chunk_size size({});
    size.measured(1, 1ns, 1);

    size.lost();
    CHECK(size.items() == 4);

    for (int lost = 0; lost < 5; ++lost)
        size.lost();
    CHECK(size.items() == 1);
}

TEST_CASE("a size that was said is kept", "[map_options]")
{
    chunk_size size({.chunk = 7});

    size.measured(7, 1h, 1);
    size.lost();

    CHECK(size.items() == 7);
}
