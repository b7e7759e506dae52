// SPDX-License-Identifier: BSL-1.0
#include <brood/pool/map.hpp>

#include <brood/base/loop.hpp>
#include <brood/base/task_group.hpp>
#include <brood/pool/internal/run_chunk.hpp>
#include <brood/wire/call.hpp>

#include "support/patience.hpp"
#include "support/race.hpp"
#include "support/within.hpp"

#include <algorithm>
#include <list>
#include <numeric>
#include <sstream>
#include <stdexcept>

using namespace brood;
using namespace std::chrono_literals;

namespace
{

/// Computes chunks in this process, and keeps account of what it was asked.
struct workshop
{
    std::size_t lanes = 2;
    std::size_t under_way = 0; // chunks
    std::size_t most_under_way = 0;
    std::vector<std::uint32_t> chunks;  // how many items each had, in the order of the calls
    std::chrono::milliseconds first{0}; // how much longer the first chunk takes than others
    std::function<bool(const detail::chunk_request&)> loses; // whether a worker is lost with it
    bool again = true;                                       // whether such a chunk is tried again
};

class one_more
{
public:
    explicit one_more(std::shared_ptr<workshop> in) : in_(std::move(in))
    {
        in_->most_under_way = std::max(in_->most_under_way, ++in_->under_way);
    }
    one_more(const one_more&) = delete;
    one_more& operator=(const one_more&) = delete;
    ~one_more() { --in_->under_way; }

private:
    std::shared_ptr<workshop> in_;
};

template <class... Arguments, class Function>
detail::chunk_runner runner(std::shared_ptr<workshop> shop, Function function)
{
    struct at_work
    {
        static task<detail::chunk_reply> run(std::shared_ptr<workshop> shop, Function function,
                                             const detail::chunk_request& chunk)
        {
            one_more counted(shop);
            shop->chunks.push_back(chunk.count);
            auto time = chunk.first == 0 ? shop->first : 0ms;
            co_await sleep(time);
            if (shop->loses && shop->loses(chunk))
            {
                if (shop->again && chunk.count > 1)
                    co_return detail::chunk_reply();
                throw std::runtime_error("the worker was lost");
            }
            detail::chunk_reply reply;
            using arguments = std::tuple<Arguments...>;
            using result = decltype(std::apply(function, std::declval<arguments>()));
            if constexpr (detail::awaited<result>::coroutine)
                reply = co_await detail::run_chunk<arguments>(function, chunk);
            else
                reply = detail::compute_chunk<arguments>(function, chunk);
            reply.peer = "the workshop";
            co_return reply;
        }
    };
    detail::chunk_runner made;
    made.run = [shop, function](const detail::chunk_request& chunk)
    {
        return at_work::run(shop, function, chunk);
    };
    made.lanes = [shop]
    {
        return shop->lanes;
    };
    return made;
}

template <class Result, class... Arguments, class Range, class Function>
auto map(std::shared_ptr<workshop> shop, Function function, Range&& range, map_options options = {})
{
    return detail::begin_map<Result, map_order::as_given, std::tuple<Arguments...>>(
        default_executor(), runner<Arguments...>(shop, function), std::forward<Range>(range),
        options);
}

template <class Result, class... Arguments, class Range, class Function>
auto as_completed(std::shared_ptr<workshop> shop, Function function, Range&& range,
                  map_options options = {})
{
    return detail::begin_map<Result, map_order::as_completed, std::tuple<Arguments...>>(
        default_executor(), runner<Arguments...>(shop, function), std::forward<Range>(range),
        options);
}

int square(int number)
{
    auto part = number % 40'000; // whose square is an int
    return part * part;
}

int square_of_even(int number)
{
    if (number % 2 != 0)
        throw std::invalid_argument(std::to_string(number) + " is odd");
    return number * number;
}

std::vector<int> numbers(int count)
{
    std::vector<int> made(static_cast<std::size_t>(count));
    std::iota(made.begin(), made.end(), 0);
    return made;
}

template <class Results>
task<std::vector<int>> all_of(Results& results)
{
    std::vector<int> all;
    while (auto one = co_await results.next())
        all.push_back(*one);
    co_return all;
}

std::vector<int> squares(int count)
{
    auto all = numbers(count);
    for (auto& each : all)
        each = square(each);
    return all;
}

/// Gives numbers one by one, and suspends before each for so long.
struct counting
{
    int end;
    std::chrono::milliseconds pause{0};
    int next_number = 0;

    task<std::optional<int>> next()
    {
        if (pause != 0ms)
            co_await sleep(pause);
        if (next_number == end)
            co_return std::nullopt;
        co_return next_number++;
    }
};

} // namespace

TEST_WITHIN(20s, "map tells the results in the order of the range", "[map]")
{
    auto shop = std::make_shared<workshop>();
    shop->first = 20ms;

    auto results = map<int, int>(shop, &square, numbers(1000));
    auto all = co_await all_of(results);
    auto more = co_await results.next();

    CHECK(all == squares(1000));
    CHECK_FALSE(more);
}

TEST_WITHIN(20s, "as_completed tells results as they come, with the index of their item", "[map]")
{
    auto shop = std::make_shared<workshop>();
    shop->first = 50ms;
    std::vector<std::uint64_t> order;
    std::vector<int> all(100);

    auto results = as_completed<int, int>(shop, &square, numbers(100), {.chunk = 10});
    while (auto one = co_await results.next())
    {
        order.push_back(one->index);
        all[one->index] = one->value;
    }

    CHECK(order.size() == 100);
    CHECK(order.front() != 0);
    CHECK(all == squares(100));
}

TEST_WITHIN(20s, "an empty range has no results", "[map]")
{
    auto results = map<int, int>(std::make_shared<workshop>(), &square, std::vector<int>());

    auto one = co_await results.next();

    CHECK_FALSE(one);
}

TEST_WITHIN(20s, "a range may be read once, forward only, and by reference", "[map]")
{
    auto shop = std::make_shared<workshop>();
    std::istringstream text("1 2 3 4");
    std::list<int> kept{5, 6};
    auto first = map<int, int>(shop, &square, std::views::istream<int>(text));
    auto second = map<int, int>(shop, &square, kept);
    auto third = map<int, int>(shop, &square,
                               std::views::iota(7) |
                                   std::views::take_while([](int number) { return number < 9; }));

    auto a = co_await all_of(first);
    auto b = co_await all_of(second);
    auto c = co_await all_of(third);

    CHECK(a == std::vector{1, 4, 9, 16});
    CHECK(b == std::vector{25, 36});
    CHECK(c == std::vector{49, 64});
}

TEST_WITHIN(20s, "a stream is read by awaiting it, given away or by reference", "[map]")
{
    auto shop = std::make_shared<workshop>();
    counting kept{50};
    auto first = map<int, int>(shop, &square, kept);
    auto second = map<int, int>(shop, &square, counting{50});

    auto a = co_await all_of(first);
    auto b = co_await all_of(second);

    CHECK(a == squares(50));
    CHECK(b == squares(50));
    CHECK(kept.next_number == 50);
}

TEST_WITHIN(20s, "an item of a slow stream does not wait until a chunk is full", "[map]")
{
    auto shop = std::make_shared<workshop>();
    counting slow{3, 10ms};
    auto results = map<int, int>(shop, &square, slow, {.chunk = 1000});

    auto first = co_await results.next();
    CHECK(first == 0);
    CHECK(slow.next_number == 1);

    auto rest = co_await all_of(results);
    CHECK(rest == std::vector{1, 4});
}

TEST_WITHIN(20s, "nothing is read beyond the window until results are taken", "[map]")
{
    auto shop = std::make_shared<workshop>();
    int read = 0;
    auto counted =
        std::views::iota(0) | std::views::transform([&](int number) { return ++read, number; });
    auto results = map<int, int>(shop, &square, counted, {.chunk = 3, .window = 10});

    auto first = co_await results.next();
    co_await sleep(20ms);
    CHECK(first == 0);
    CHECK(read <= 11);

    for (int number = 1; number < 100; ++number)
    {
        auto one = co_await results.next();
        CHECK(one == number * number);
        CHECK(read <= number + 11);
    }
    CHECK(read >= 100);
}

TEST_WITHIN(60s, "an endless range keeps a bounded window by itself", "[map]")
{
    auto shop = std::make_shared<workshop>();
    std::uint64_t read = 0, most = 0;
    auto counted =
        std::views::iota(0) | std::views::transform([&](int number) { return ++read, number; });
    auto results = map<int, int>(shop, &square, counted);

    for (std::uint64_t taken = 0; taken < 300'000; ++taken)
    {
        most = std::max(most, read - taken);
        auto one = co_await results.next();
        if (!one)
            FAIL("the end of an endless range");
    }

    CHECK(most <= 4 * 65536);
    CHECK(shop->most_under_way <= 2);
}

TEST_WITHIN(20s, "no more chunks are under way than there are lanes, which may change", "[map]")
{
    auto shop = std::make_shared<workshop>();
    shop->lanes = 1;
    auto results = map<int, int>(shop, &square, numbers(100), {.chunk = 5, .window = 100});

    auto first = co_await results.next();
    CHECK(first == 0);
    CHECK(shop->most_under_way == 1);

    shop->lanes = 3;
    auto rest = co_await all_of(results);
    CHECK(rest.size() == 99);
    CHECK(shop->most_under_way == 3);
}

TEST_WITHIN(20s, "a failed item is an exception of next(), and the others go on", "[map]")
{
    auto results = map<int, int>(std::make_shared<workshop>(), &square_of_even, numbers(4));
    std::vector<std::string> told;

    for (int each = 0; each < 5; ++each)
    {
        try
        {
            auto one = co_await results.next();
            told.push_back(one ? std::to_string(*one) : "end");
        }
        catch (const remote_error& failed)
        {
            told.push_back(failed.type() + ": " + failed.message());
        }
    }

    CHECK(told == std::vector<std::string>{"0", "std::invalid_argument: 1 is odd", "4",
                                           "std::invalid_argument: 3 is odd", "end"});
    CHECK(results.progress().done == 2);
    CHECK(results.progress().failed == 2);
}

TEST_WITHIN(20s, "a failed item is a value of next_outcome()", "[map]")
{
    auto results =
        as_completed<int, int>(std::make_shared<workshop>(), &square_of_even, numbers(4));
    std::vector<std::string> told(4);

    while (auto one = co_await results.next_outcome())
        told[one->index()] = one->ok() ? std::to_string(one->value()) : one->text();

    CHECK(told[0] == "0");
    CHECK(told[2] == "4");
    CHECK(told[3] == "the workshop: its handler for item 3 threw std::invalid_argument: 3 is odd: "
                     "call failed");
}

TEST_WITHIN(20s, "what is no std::exception fails its item as well", "[map]")
{
    auto throws = +[](int) -> int
    {
        throw 7;
    };
    auto results = map<int, int>(std::make_shared<workshop>(), throws, numbers(1));

    auto one = co_await results.next_outcome();

    CHECK_FALSE(one->ok());
    CHECK(one->text().find("unknown") != std::string::npos);
}

TEST_WITHIN(20s, "what the range throws comes out behind its results", "[map]")
{
    auto broken =
        std::views::iota(0, 5) |
        std::views::transform(
            [](int number) { return number < 3 ? number : throw std::runtime_error("no more"); });
    auto results = map<int, int>(std::make_shared<workshop>(), &square, broken);
    std::vector<std::string> told;

    for (int each = 0; each < 5; ++each)
    {
        try
        {
            auto one = co_await results.next();
            told.push_back(one ? std::to_string(*one) : "end");
        }
        catch (const std::runtime_error& failed)
        {
            told.push_back(failed.what());
        }
    }

    CHECK(told == std::vector<std::string>{"0", "1", "4", "no more", "end"});
}

TEST_WITHIN(20s, "functions of none, several and converted parameters, and of no result", "[map]")
{
    auto shop = std::make_shared<workshop>();
    std::vector<std::tuple<int, std::string>> pairs{{2, "a"}, {3, "b"}};
    auto repeat = +[](int count, std::string text)
    {
        std::string all;
        while (count-- > 0)
            all += text;
        return all;
    };
    int calls = 0;
    auto count = [&calls](std::string)
    {
        ++calls;
    };
    auto words = map<std::string, int, std::string>(shop, repeat, pairs);
    auto none = map<std::monostate, std::string>(shop, count, std::vector{"x", "y", "z"});

    auto first = co_await words.next();
    auto second = co_await words.next();
    int told = 0;
    while (auto one = co_await none.next())
        ++told;

    CHECK(first == "aa");
    CHECK(second == "bbb");
    CHECK(told == 3);
    CHECK(calls == 3);
}

TEST_WITHIN(20s, "a function may be a coroutine", "[map]")
{
    struct slow
    {
        static task<int> square(int number)
        {
            co_await sleep(1ms);
            if (number == 3)
                throw std::runtime_error("three");
            co_return number* number;
        }
    };
    auto results = map<int, int>(std::make_shared<workshop>(), &slow::square, numbers(6));
    int sum = 0, failed = 0;

    while (auto one = co_await results.next_outcome())
        one->ok() ? sum += one->value() : ++failed;

    CHECK(sum == 0 + 1 + 4 + 16 + 25);
    CHECK(failed == 1);
}

TEST_WITHIN(20s, "chunks of cheap items grow, and those of dear ones do not", "[map]")
{
    auto cheap = std::make_shared<workshop>();
    auto dear = std::make_shared<workshop>();
    auto busy = +[](int number)
    {
        auto until = std::chrono::steady_clock::now() + 3ms;
        while (std::chrono::steady_clock::now() < until)
            ;
        return number;
    };
    auto first = map<int, int>(cheap, &square, numbers(100'000));
    auto second = map<int, int>(dear, busy, numbers(20));

    auto many = co_await all_of(first);
    auto few = co_await all_of(second);

    CHECK(many.size() == 100'000);
    CHECK(cheap->chunks.front() == 1);
    CHECK(*std::max_element(cheap->chunks.begin(), cheap->chunks.end()) >= 64);
    CHECK(few.size() == 20);
    CHECK(dear->chunks == std::vector<std::uint32_t>(20, 1));
}

TEST_WITHIN(20s, "a chunk that takes too long is given back, and loses and doubles nothing",
            "[map]")
{
    auto shop = std::make_shared<workshop>();
    std::vector<int> calls(5000);
    auto sometimes = [&calls](int number)
    {
        ++calls[static_cast<std::size_t>(number)];
        auto time = number >= 4000 && number < 4040 ? 2ms : 0ms;
        auto until = std::chrono::steady_clock::now() + time;
        while (std::chrono::steady_clock::now() < until)
            ;
        return number * number;
    };
    auto results = map<int, int>(shop, sometimes, numbers(5000), {.chunk_time = 1ms});

    auto all = co_await all_of(results);

    CHECK(all == squares(5000));
    CHECK(calls == std::vector<int>(5000, 1));
}

TEST_WITHIN(20s, "the item that ends its worker is found, and is the only one to fail", "[map]")
{
    auto shop = std::make_shared<workshop>();
    shop->loses = [](const detail::chunk_request& chunk)
    {
        return chunk.first <= 777 && 777 < chunk.first + chunk.count;
    };
    auto results = map<int, int>(shop, &square, numbers(1000), {.chunk = 500});
    std::vector<int> all;
    std::vector<std::string> failed;

    while (auto one = co_await results.next_outcome())
    {
        if (one->ok())
            all.push_back(one->value());
        else
            failed.push_back(std::to_string(one->index()) + ": " + one->text());
    }

    CHECK(all.size() == 999);
    CHECK(failed == std::vector<std::string>{"777: the worker was lost"});
    CHECK(results.progress().retried > 0);
    CHECK(results.progress().done == 999);
    CHECK(results.progress().failed == 1);
    CHECK(results.progress().running + results.progress().waiting == 0);
}

TEST_WITHIN(20s, "a lost chunk that may not be tried again fails as one", "[map]")
{
    auto shop = std::make_shared<workshop>();
    shop->again = false;
    shop->loses = [](const detail::chunk_request& chunk)
    {
        return chunk.first == 10;
    };
    auto results = map<int, int>(shop, &square, numbers(30), {.chunk = 10});
    int failed = 0;

    while (auto one = co_await results.next_outcome())
        failed += one->ok() ? 0 : 1;

    CHECK(failed == 10);
}

TEST_WITHIN(20s, "an item that cannot be encoded fails alone", "[map]")
{
    struct picky
    {
        int number = 0;

        void save(archive_writer& to) const
        {
            if (number == 2)
                throw std::runtime_error("two cannot be written");
            to(number);
        }
        void load(archive_reader& from) { from(number); }
    };
    std::vector<picky> items{{1}, {2}, {3}};
    auto twice = +[](picky value)
    {
        return 2 * value.number;
    };
    auto results = map<int, picky>(std::make_shared<workshop>(), twice, items, {.chunk = 3});
    std::vector<std::string> told;

    while (auto one = co_await results.next_outcome())
        told.push_back(one->ok() ? std::to_string(one->value()) : one->text());

    CHECK(told == std::vector<std::string>{"2", "two cannot be written", "6"});
}

TEST_WITHIN(20s, "a large item, and a large result, travel alone", "[map]")
{
    auto shop = std::make_shared<workshop>();
    auto fill = +[](std::string text)
    {
        return std::string(text.size(), 'y');
    };
    std::vector<std::string> items(20, "small");
    items[7] = std::string(1'000'000, 'x');
    auto results = map<std::string, std::string>(shop, fill, items, {.chunk = 20});
    std::vector<std::size_t> sizes;

    while (auto one = co_await results.next())
        sizes.push_back(one->size());

    std::vector<std::size_t> wanted(20, 5);
    wanted[7] = 1'000'000;
    CHECK(sizes == wanted);
    CHECK(std::count(shop->chunks.begin(), shop->chunks.end(), 1) >= 1);
}

TEST_WITHIN(20s, "dropped results cancel what is under way", "[map]")
{
    auto shop = std::make_shared<workshop>();
    shop->first = 1h;
    std::optional results = map<int, int>(shop, &square, numbers(100));
    auto began = co_await brood::test::eventually(10s, [&] { return shop->under_way > 0; });
    CHECK(began);

    results.reset();

    auto ended = co_await brood::test::eventually(10s, [&] { return shop->under_way == 0; });
    CHECK(ended);
}

TEST_WITHIN(20s, "next() that was cancelled loses nothing", "[map]")
{
    auto shop = std::make_shared<workshop>();
    shop->first = 20ms;
    auto results = map<int, int>(shop, &square, numbers(3));
    task_group waiting;
    waiting.start([&]() -> task<> { co_await results.next(); });
    co_await sleep(5ms);
    waiting.cancel();
    co_await waiting.join();

    auto all = co_await all_of(results);

    CHECK(all == squares(3));
}

TEST_WITHIN(5s, "a result that comes just as the wait for it loses under || is not lost", "[map]")
{
    for (int turns = -1; turns < 8; ++turns)
    {
        detail::wait_queue gate(default_executor());
        auto held = runner<int>(std::make_shared<workshop>(), &square);
        auto run = held.run;
        held.run = [&](const detail::chunk_request& chunk) -> task<detail::chunk_reply>
        {
            co_await gate.wait();
            co_return co_await run(chunk);
        };
        auto results = detail::begin_map<int, map_order::as_given, std::tuple<int>>(
            default_executor(), held, numbers(1), map_options());
        while (gate.empty())
            co_await sleep(1ms);

        std::function<void()> happen = [&]
        {
            gate.post_all();
        };
        auto one = co_await brood::test::raced(results.next(), happen, turns);
        if (!one)
            one = co_await results.next();
        REQUIRE(one);
        CHECK(*one == 0); // nothing at all when it was lost
    }
}

TEST_WITHIN(20s, "several may take results side by side, each another one", "[map]")
{
    auto results = map<int, int>(std::make_shared<workshop>(), &square, numbers(500));
    std::vector<int> all;
    task_group takers;
    for (int each = 0; each < 4; ++each)
    {
        takers.start(
            [&]() -> task<>
            {
                while (auto one = co_await results.next())
                    all.push_back(*one);
            });
    }
    co_await takers.join();

    std::sort(all.begin(), all.end());
    CHECK(all == squares(500));
}

TEST_CASE("a map may be abandoned with its loop at every step", "[map]")
{
    abandoned_at_every_step(
        []() -> task<>
        {
            auto shop = std::make_shared<workshop>();
            shop->first = 2ms;
            auto results = map<int, int>(shop, &square, counting{20, 0ms}, {.chunk = 4});
            auto all = co_await all_of(results);
            CHECK(all == squares(20));
        });
}

TEST_WITHIN(20s, "a worker that tells less than it says fails those items only", "[map]")
{
    auto liar = runner<int>(std::make_shared<workshop>(), &square);
    liar.run = [](const detail::chunk_request& chunk) -> task<detail::chunk_reply>
    {
        detail::chunk_reply reply;
        reply.told = chunk.count;
        detail::chunk_writer one;
        one.add(detail::outcome_kind::value, 42);
        reply.outcomes = one.take();
        co_return reply;
    };
    map_options options{.chunk = 3};
    auto results = detail::begin_map<int, map_order::as_given, std::tuple<int>>(
        default_executor(), liar, numbers(3), options);

    auto first = co_await results.next();
    auto second = co_await results.next_outcome();
    auto third = co_await results.next_outcome();
    auto end = co_await results.next_outcome();

    CHECK(first == 42);
    CHECK_FALSE(second->ok());
    CHECK_FALSE(third->ok());
    CHECK_FALSE(end);
}
