// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/detail/core/traffic_ledger.hpp>

#include "support/catch.hpp"

#include <limits>
#include <memory>
#include <unistd.h>

using namespace brood::detail;
using cell = traffic_cell;

namespace
{

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

/// A primary, and workers that are only files.
struct primary
{
    std::shared_ptr<worker_core> start(std::size_t slot)
    {
        auto record = std::make_shared<worker_core>(loop.get_executor(), ++last_id, slot);
        record->signs = vital_signs::make_file();
        ledger.open(record);
        return record;
    }

    std::uint64_t requests(std::size_t slot)
    {
        ledger.look();
        return ledger.of_slot(slot).requests;
    }

    asio::io_context loop;
    std::uint64_t last_id = 0;
    traffic_ledger ledger;
};

/// What the worker itself writes into its file.
void write(const worker_core& worker, cell which, std::uint64_t number)
{
    vital_signs(worker.signs).traffic()[static_cast<std::size_t>(which)] = number;
}

} // namespace

TEST_CASE("the figures of a worker that ended stay in the sums of its slot", "[traffic_ledger]")
{
    primary all;
    auto first = all.start(0);
    auto other = all.start(1);
    write(*first, cell::requests, 5);
    write(*first, cell::opened, 3);
    write(*first, cell::closed, 1);
    write(*first, cell::begun, 7);
    write(*other, cell::requests, 100);
    CHECK(all.requests(0) == 5);
    CHECK(all.ledger.of_slot(0).open_connections == 2);
    CHECK(all.ledger.of_slot(0).open_requests == 2);

    write(*first, cell::requests, 6); // nobody looks before it ends
    all.ledger.close(*first);
    CHECK(all.requests(0) == 6);
    CHECK(all.ledger.of_slot(0).open_connections == 0);
    CHECK(all.ledger.of_slot(0).open_requests == 0);
    CHECK(all.ledger.of_slot(0).connections == 3);
    auto second = all.start(0);
    write(*second, cell::requests, 1);

    CHECK(all.requests(0) == 7);
    CHECK(first->traffic.requests == 6);
    CHECK(second->traffic.requests == 1);
    CHECK(all.ledger.of_all().requests == 107);
    CHECK(all.requests(7) == 0);
}

TEST_CASE("a worker that drains counts for the slot of its successor", "[traffic_ledger]")
{
    primary all;
    auto before = all.start(0);
    auto after = all.start(0);
    for (auto& each : {before, after})
    {
        write(*each, cell::opened, 4);
        write(*each, cell::requests, 10);
    }

    CHECK(all.requests(0) == 20);
    CHECK(all.ledger.of_slot(0).open_connections == 8);
}

TEST_CASE("no worker can make a sum go backwards", "[traffic_ledger]")
{
    primary all;
    auto liar = all.start(0);
    write(*liar, cell::requests, 50);
    CHECK(all.requests(0) == 50);

    write(*liar, cell::requests, 20);
    CHECK(all.requests(0) == 50);
    REQUIRE(::ftruncate(liar->signs.get(), 0) == 0);
    CHECK(all.requests(0) == 50);
    REQUIRE(::ftruncate(liar->signs.get(), 4096) == 0);
    for (auto which : {cell::opened, cell::requests, cell::failed, cell::received, cell::sent})
        write(*liar, which, largest);
    CHECK(all.requests(0) == largest);
    all.ledger.close(*liar);
    auto next = all.start(0);
    write(*next, cell::requests, 10);

    CHECK(all.requests(0) == largest);
    CHECK(all.ledger.of_all().bytes_sent == largest);
    CHECK(all.ledger.of_slot(0).open_connections == 0);
}

TEST_CASE("a worker without a file has no figures", "[traffic_ledger]")
{
    primary all;
    auto early = all.start(2);
    early->signs = {};

    all.ledger.look();
    all.ledger.close(*early);

    CHECK_FALSE(all.ledger.of_all().any());
}
