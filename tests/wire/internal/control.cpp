// SPDX-License-Identifier: BSL-1.0
#include <brood/wire/internal/control.hpp>

#include <brood/wire/channel.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <fcntl.h>

#include <string>
#include <system_error>
#include <utility>
#include <variant>

using namespace std::chrono_literals;
using brood::carrying;
using brood::descriptor;
using brood::task;
using brood::detail::next_control;
using brood::detail::send_control;
using Catch::Matchers::ContainsSubstring;

namespace
{

/// A channel whose second lane can be reached.
class end_of_channel : public brood::channel
{
public:
    explicit end_of_channel(brood::channel&& from) : channel(std::move(from)) {}

    using channel::link;
};

struct two_ends
{
    explicit two_ends(const brood::channel_limits& limits = {}) : both(brood::channel::pair(limits))
    {
    }

    std::pair<brood::channel, brood::channel> both;
    end_of_channel one{std::move(both.first)};
    end_of_channel other{std::move(both.second)};
};

} // namespace

TEST_WITHIN(5s, "control values come in order, apart from the messages", "[control]")
{
    two_ends of;
    of.one.send(1);
    send_control(*of.one.link(), std::string("control"));
    of.one.send(2);
    send_control(*of.one.link(), 3);

    auto text = co_await next_control<int, std::string>(of.other.link());
    auto number = co_await next_control<int, std::string>(of.other.link());
    auto first = co_await of.other.message<int>();
    auto second = co_await of.other.message<int>();

    REQUIRE((text && number));
    CHECK(std::get<std::string>(*text) == "control");
    CHECK(std::get<int>(*number) == 3);
    CHECK(first == 1);
    CHECK(second == 2);
}

TEST_WITHIN(5s, "descriptors travel beside a control value, and do not come back", "[control]")
{
    two_ends of;
    descriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    send_control(*of.one.link(), 1, null.duplicate());
    auto taken = co_await next_control<carrying<int, descriptor>>(of.other.link());
    REQUIRE(taken);
    CHECK(taken->object().get() >= 0);

    send_control(*of.one.link(), 2, null.duplicate());
    co_await of.one.flush();
    of.other = end_of_channel(brood::channel());
    co_await of.one.disconnected();
    CHECK(of.one.undelivered().empty());
}

TEST_WITHIN(5s, "a control value is sent although there is no room for one more message",
            "[control]")
{
    brood::channel_limits limits;
    limits.outgoing_high_water = 20'000;
    limits.max_outgoing = 50'000;
    two_ends of(limits);
    std::string block(10'000, 'x');
    std::error_code refused;
    for (int count = 0; !refused; ++count)
    {
        REQUIRE(count < 100);
        try
        {
            of.one.send(block);
        }
        catch (const brood::error& overflow)
        {
            refused = overflow.code();
        }
    }
    CHECK(refused == brood::errc::overflow);

    CHECK_NOTHROW(send_control(*of.one.link(), 7));

    auto value = co_await next_control<int>(of.other.link());
    CHECK(value == 7);
}

TEST_WITHIN(5s, "the end of the channel is the end of the lane", "[control]")
{
    two_ends of;
    send_control(*of.one.link(), 1);
    of.one.disconnect();
    auto last = co_await next_control<int>(of.other.link());
    auto none = co_await next_control<int>(of.other.link());

    CHECK(last == 1);
    CHECK_FALSE(none);
    send_control(*of.one.link(), 2); // nothing happens
}

TEST_WITHIN(5s, "a control value of a type that is not understood ends the channel", "[control]")
{
    two_ends of;
    send_control(*of.one.link(), std::string("nonsense"));
    std::string text;
    try
    {
        co_await next_control<int>(of.other.link());
    }
    catch (const brood::error& wrong)
    {
        CHECK(wrong.code() == brood::errc::malformed);
        text = wrong.what();
    }

    CHECK_THAT(text, ContainsSubstring("control frame that it must not send"));
    CHECK_FALSE(of.other.connected());
}
