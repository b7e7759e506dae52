// SPDX-License-Identifier: BSL-1.0
#include <brood/wire/detail/flow.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using brood::frame_kind;
using brood::frame_window;
using brood::detail::inflow;
using brood::detail::move_front;
using brood::detail::outflow;
using brood::detail::outflows;

TEST_CASE("a frame may come while any credit is left, and so exceed it", "[flow]")
{
    inflow flow(1000, 0);

    CHECK(flow.arrive(999));
    CHECK(flow.arrive(5000));
    CHECK_FALSE(flow.arrive(1));
}

TEST_CASE("what may be sent before the hello may come, however small the window is", "[flow]")
{
    inflow flow(10, 1000);

    CHECK(flow.announced() == 10);
    CHECK(flow.arrive(999));
    CHECK(flow.take(999) == 9); // so that from here on ten are under way
    CHECK(flow.arrive(10));
    CHECK_FALSE(flow.arrive(1));
}

TEST_CASE("credit is given back when it is worth a frame, and never lost", "[flow]")
{
    inflow flow(1000, 0);
    std::uint64_t given = 1000, arrived = 0;
    int frames = 0;
    for (int count = 0; count < 1000; ++count)
    {
        REQUIRE(flow.arrive(30));
        arrived += 30;
        auto more = flow.take(30);
        frames += more != 0;
        given += more;
    }

    CHECK(frames < 130);
    CHECK(given > arrived + 700); // who has taken all must let as much come again
    CHECK(given <= arrived + 1000);
}

TEST_CASE("a window of nothing still lets one frame after the other come", "[flow]")
{
    inflow flow(0, 0);

    for (int count = 0; count < 3; ++count)
    {
        CHECK(flow.arrive(500));
        CHECK_FALSE(flow.arrive(0));
        CHECK(flow.take(500) == 500);
    }
}

namespace
{

void hold(outflow& in, const std::string& frame, std::size_t descriptors = 0)
{
    in.bytes().append(frame.data(), frame.size());
    in.hold(frame.size(), std::vector<brood::descriptor>(descriptors));
}

std::string released(outflows& from, std::size_t unconfirmed = 0)
{
    std::string result;
    from.release(unconfirmed,
                 [&](brood::buffer& held, std::size_t count, std::vector<brood::descriptor> beside)
                 {
                     auto frame = held.data().first(count);
                     result.append(reinterpret_cast<const char*>(frame.data()), count);
                     held.consume(count);
                     unconfirmed += beside.size();
                 });
    return result;
}

} // namespace

TEST_CASE("frames wait for credit of their own kind, in their order", "[flow]")
{
    outflows flows;
    auto& messages = *flows.of(frame_kind::message);
    auto& requests = *flows.of(frame_kind::request);
    CHECK(flows.of(frame_kind::control) == nullptr);
    messages.spend(frame_window{}.messages);
    hold(messages, "one");
    hold(messages, "two");
    hold(requests, "request");
    CHECK(flows.size() == 13);

    CHECK(released(flows) == "request");
    messages.add_credit(2);
    CHECK(released(flows) == "one"); // which takes more than there was
    messages.add_credit(1);
    CHECK(released(flows).empty());
    messages.add_credit(1);
    CHECK(released(flows) == "two");
    CHECK(flows.empty());
}

TEST_CASE("descriptors wait until few enough are under way, and one frame may have more", "[flow]")
{
    outflows flows;
    flows.greeted({0, 0, 100});
    auto& messages = *flows.of(frame_kind::message);
    hold(messages, "a", 60);
    hold(messages, "b", 60);
    hold(messages, "c", 200);
    CHECK(flows.descriptors() == 320);

    CHECK(released(flows) == "a");
    CHECK(released(flows, 41).empty());
    CHECK(released(flows, 40) == "b");
    CHECK(released(flows, 1).empty());
    CHECK(released(flows, 0) == "c");
}

TEST_CASE("credit without end does not turn over", "[flow]")
{
    outflow flow(1);
    for (int count = 0; count < 100; ++count)
        flow.add_credit(UINT64_MAX);

    CHECK(flow.has_credit());
}

TEST_CASE("the other side that can say no more takes everything", "[flow]")
{
    outflows flows;
    auto& messages = *flows.of(frame_kind::message);
    messages.spend(frame_window{}.messages);
    hold(messages, "one", 100);

    flows.lift();

    CHECK(released(flows, 1000) == "one");
}

TEST_CASE("frames leave in one piece as far as there is credit, up to the next descriptors",
          "[flow]")
{
    outflow flow(7);
    std::vector<std::pair<std::string, std::size_t>> left;
    auto leave = [&](brood::buffer& held, std::size_t count, std::vector<brood::descriptor> beside)
    {
        brood::buffer piece;
        move_front(held, count, piece);
        auto bytes = std::as_const(piece).data();
        left.emplace_back(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
                          beside.size());
    };
    hold(flow, "one");
    hold(flow, "two");
    hold(flow, "three");
    hold(flow, "four", 2);
    hold(flow, "five");

    flow.release(false, leave);
    flow.add_credit(9);
    flow.release(false, leave);

    CHECK(left[0] == std::pair<std::string, std::size_t>("onetwothree", 0));
    CHECK(left[1] == std::pair<std::string, std::size_t>("fourfive", 2));
    CHECK(flow.empty());
    CHECK(flow.size() == 0);
}

TEST_CASE("what moves from one buffer to another keeps its order", "[flow]")
{
    for (auto count : {1u, 3u, 5u, 6u})
    {
        brood::buffer from, to;
        from.append("abcdef", 6);
        std::string moved;
        for (int round = 0; round < 2 && !from.empty(); ++round)
        {
            move_front(from, std::min<std::size_t>(count, from.size()), to);
            auto bytes = std::as_const(to).data();
            moved.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        }
        auto rest = std::as_const(from).data();
        CHECK(moved + std::string(reinterpret_cast<const char*>(rest.data()), rest.size()) ==
              "abcdef");
        CHECK(moved.size() == std::min(2 * count, 6u));
    }
}
