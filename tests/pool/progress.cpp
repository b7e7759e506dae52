// SPDX-License-Identifier: BSL-1.0
#include <brood/pool/progress.hpp>

#include <brood/pool/detail/progress_meter.hpp>

#include "support/catch.hpp"

#include <memory>

using namespace brood;
using namespace std::chrono_literals;

namespace
{

const detail::progress_meter::clock::time_point start{1000s};

progress half_way()
{
    progress made;
    made.done = 480;
    made.failed = 20;
    made.total = 1000;
    made.rate = 120;
    return made;
}

} // namespace

TEST_CASE("the time left follows from the rate, when the total is known", "[progress]")
{
    auto known = half_way();
    CHECK(known.ended() == 500);
    CHECK(known.part() == 0.5);
    CHECK(std::chrono::round<std::chrono::milliseconds>(*known.time_left()) == 4167ms);

    known.total.reset();
    CHECK_FALSE(known.time_left());
    CHECK_FALSE(known.part());

    known = half_way();
    known.rate = 0;
    CHECK_FALSE(known.time_left());
}

TEST_CASE("nothing to do is done, and a slow rate is no overflow", "[progress]")
{
    progress nothing;
    nothing.total = 0;
    CHECK(nothing.part() == 1.0);

    auto slow = half_way();
    slow.total = UINT64_MAX;
    slow.rate = 1e-9;
    CHECK(*slow.time_left() > 24h * 365);
}

TEST_CASE("a line says the most important first", "[progress]")
{
    CHECK(to_line(half_way()) ==
          "###############---------------   50 %  500/1000, 20 failed, 120/s, 4 s left");
    CHECK(to_line(progress()) == "0 done");

    auto unknown = half_way();
    unknown.total.reset();
    unknown.retried = 3;
    CHECK(to_line(unknown) == "500 done, 20 failed, 120/s, 3 retried");
}

TEST_CASE("a line is never wider than it may be", "[progress]")
{
    auto all = half_way();
    all.retried = 7;
    all.done = 123'456'789;
    all.total = 987'654'321'000;
    for (std::size_t columns = 0; columns <= 120; ++columns)
        CHECK(to_line(all, columns).size() <= columns);

    CHECK(to_line(half_way(), 40) == "##---   50 %  500/1000, 20 failed, 120/s");
    CHECK(to_line(half_way(), 16) == " 50 %  500/1000");
    CHECK(to_line(half_way(), 3).empty());
}

TEST_CASE("numbers and times are written short", "[progress]")
{
    auto made = half_way();
    made.rate = 1'234'567;
    CHECK(to_line(made).find("1235k/s") != std::string::npos);
    made.rate = 0.5;
    CHECK(to_line(made).find("0.5/s, 16 min 40 s left") != std::string::npos);
    made.rate = 0.05;
    CHECK(to_line(made).find("2 h 46 min left") != std::string::npos);
    made.rate = 0.0005;
    CHECK(to_line(made).find("11 d 13 h left") != std::string::npos);
}

TEST_CASE("a meter counts for itself and for the whole", "[progress]")
{
    auto whole = std::make_shared<detail::progress_meter>();
    detail::progress_meter one(whole), other(whole);
    one.expect(10);
    other.expect(20);

    one.add(5);
    one.begin(3, start);
    other.add(2);
    one.end(2, 1, start + 1s);
    one.retry(4);

    auto part = one.read(start + 1s), all = whole->read(start + 1s);
    CHECK(part.done == 2);
    CHECK(part.failed == 1);
    CHECK(part.running == 0);
    CHECK(part.waiting == 2);
    CHECK(part.retried == 4);
    CHECK(part.total == 10);
    CHECK(part.elapsed == 1s);
    CHECK(part.rate == 3);
    CHECK(all.done == 2);
    CHECK(all.waiting == 4);
    CHECK(all.total == 30);
}

TEST_CASE("the total is unknown until somebody who does not know it has read all", "[progress]")
{
    auto whole = std::make_shared<detail::progress_meter>();
    detail::progress_meter known(whole), unknown(whole);
    known.expect(10);
    unknown.expect(std::nullopt);
    unknown.add(7);
    CHECK(known.read(start).total == 10);
    CHECK_FALSE(unknown.read(start).total);
    CHECK_FALSE(whole->read(start).total);

    unknown.settle();

    CHECK(unknown.read(start).total == 7);
    CHECK(whole->read(start).total == 17);
}

TEST_CASE("what is dropped is no longer expected", "[progress]")
{
    auto whole = std::make_shared<detail::progress_meter>();
    detail::progress_meter known(whole), unknown(whole);
    known.expect(10);
    unknown.expect(std::nullopt);
    for (auto each : {&known, &unknown})
    {
        each->add(5);
        each->begin(4, start);
        each->end(3, 0, start + 1s);
        each->drop();
    }

    auto all = whole->read(start + 1s);
    CHECK(all.total == 6);
    CHECK(all.done == 6);
    CHECK(all.running == 0);
    CHECK(all.waiting == 0);
}

TEST_CASE("the rate is that of the last ten seconds", "[progress]")
{
    detail::progress_meter meter;
    auto now = start;
    meter.add(1'000'000);
    meter.begin(1'000'000, now);
    auto work = [&](int seconds, std::uint64_t each)
    {
        for (int second = 0; second < seconds; ++second)
            meter.end(each, 0, now += 1s);
    };

    work(60, 100);
    CHECK(meter.read(now).rate == Approx(100).epsilon(0.15));

    work(20, 1000);
    CHECK(meter.read(now).rate == Approx(1000).epsilon(0.15));

    CHECK(meter.read(now + 100s).rate < 200);
}
