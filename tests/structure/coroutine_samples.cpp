// SPDX-License-Identifier: BSL-1.0
// What coroutines.py must tell apart. Read by it, never compiled.

// --- wrong ---------------------------------------------------------------------------------------

task<> assertions()
{
    CHECK(co_await value() == 7);           // wrong: macro
    REQUIRE_FALSE(co_await child.exit());   // wrong: macro
    CHECK_THAT(co_await text(), Equals(x)); // wrong: macro
    CHECK(                                  // wrong: macro
        co_await value() == 7);
    CHECK(first && co_await second()); // wrong: macro, short-circuit
    EXPECT_EQ(co_await value(), 7);    // wrong: macro
    BOOST_TEST(co_await value() == 7); // wrong: macro
    assert(co_await value() == 7);     // wrong: macro
    LOG(INFO, co_await value());       // wrong: macro
}

task<int> operators(bool no)
{
    while (n < 3 && co_await next()) // wrong: short-circuit
        ++n;
    if (no || !(co_await next())) // wrong: short-circuit
        co_return 0;
    for (int i = 0; i < 3 && (co_await next()) > 0; ++i) // wrong: short-circuit
        use(i);
    bool both = first() && co_await second(); // wrong: short-circuit
    use(1, no && co_await second());          // wrong: short-circuit
    while (n < 3 and co_await next())         // wrong: short-circuit
        ++n;
    if (no or not co_await next()) // wrong: short-circuit
        co_return 0;
    auto x = no ? co_await next() : 1;  // wrong: conditional
    co_await (no ? f() : g());          // wrong: conditional
    co_return no ? co_await next() : 1; // wrong: conditional
}

task<int> conditions()
{
    if (co_await next()) // wrong: condition
        use(1);
    if (!co_await next()) // wrong: condition
        use(2);
    else if ((co_await number()) == 3) // wrong: condition
        use(3);
    while (co_await next()) // wrong: condition
    {
        use(4);
        co_await f();
    }
    while (!(co_await next()).empty()) // wrong: condition
        use(5);
    for (; co_await next();) // wrong: condition
        use(6);
    for (int i = 0; co_await next(); ++i) // wrong: condition
        use(7);
    if (int i = 0; co_await next()) // wrong: condition
        use(8);
    if (co_await next(); true) // wrong: condition
        use(9);
    switch (co_await number()) // wrong: condition
    {
    case 1:
        co_return 1;
    }
    do
    {
        use(10);
    } while (co_await next()); // wrong: condition
    if constexpr (true)
        while (co_await next()) // wrong: condition
            use(11);
    co_return 0;
}

task<> temporaries(std::string text)
{
    co_await send(message{1, text});                    // wrong: braces
    co_await send(message{.id = 1, .body = text});      // wrong: braces
    co_await f(std::array<std::string, 2>{text, text}); // wrong: braces
    co_await f(std::vector<int>{1, 2});                 // wrong: braces
    std::vector<int> v{co_await a()};                   // wrong: braces
    results.push_back({co_await a()});                  // wrong: braces
    co_return answer{co_await a()};                     // wrong: braces
    while (auto reply = co_await call(question{text}))  // wrong: braces
        use(*reply);
}

task<> closures(std::string text)
{
    co_await g([text]() -> task<> { co_return; });                     // wrong: capture
    co_await g([=] { return text; });                                  // wrong: capture
    co_await g([&x, y = std::move(text)] { return y; });               // wrong: capture
    co_await co_spawn(executor, [text]() -> task<> { co_await f(); }); // wrong: capture
    co_await [text]() -> task<>                                        // wrong: capture
    {
        co_return;
    }();
    co_spawn(co_await this_coro::executor, f(), detached); // wrong: co_spawn
    co_spawn(
        executor,
        [s]() -> task<> // wrong: dangling
        {
            co_await f();
        }(),
        detached);
    co_spawn(
        executor,
        [&]() -> task<> // wrong: dangling
        {
            co_return;
        }(),
        detached);
    auto [error, size] = co_await read(buffer, use_tuple); // wrong: tuple
    auto [one, two] = co_await brood::all(a(), b());       // wrong: tuple
    const auto& [three, four] = co_await all(a(), b());    // wrong: tuple
    add(co_await a(), co_await b());                       // wrong: two
    co_await f(co_await g());                              // wrong: two
}

TEST_CASE("inside a lambda")
{
    within(5s,
           [&]() -> task<>
           {
               auto child = spawn("sh", {"-c", "exit 7"});
               CHECK(co_await child.exit());    // wrong: macro
               co_await send(message{1, text}); // wrong: braces
           });
}

// --- right ---------------------------------------------------------------------------------------

struct options
{
    std::string cwd{};
    int size{co_await_is_a_name{1}};
};

enum class colour : int
{
    red,
};

class channel : public base
{
public:
    channel(int fd) : fd_{fd}, name_(make(fd)) {}
    explicit channel() noexcept : channel(message{1, "x"}.id) { start(); }
    auto wait() -> task<> { co_await f(); }
    task<int> one() { co_return co_await f(); }

private:
    int fd_{-1};
};

template <class Value>
task<Value> named(process& self)
{
    while (auto num = co_await self.message<int>())
        self.send(answer{*num, fibonacci(*num), self.pid()});
    while (auto reply = co_await worker.message<answer>())
        log.send(*reply);
    if (auto reply = co_await f(); reply && reply->good)
        use(answer{1, "x"});
    for (auto&& item : co_await items())
        use(item);
    message m{1, text};
    co_await send(m);
    co_await send(std::move(m));
    auto ended = co_await child.exit();
    CHECK(ended.code == 7);
    bool good = co_await f();
    if (good && other)
        co_return;
    bool result = co_await f() && other;
    auto winner = co_await (worker.exit() || timer.async_wait(use_awaitable));
    co_await sleep(std::chrono::seconds{5});
    co_await exec("ls", {.timeout = 2s});
    co_await exec_file("ls", {"-l", "-a"});
    co_await eventually(5s, [&] { return done; });
    co_await eventually(5s, [&done] { return done ? 1 : 0; });
    co_spawn(
        executor, [text]() -> task<> { co_await f(); }, detached);
    co_spawn(
        executor,
        [text](process& self) -> task<>
        {
            auto got = co_await self.message<int>();
            self.send(message{1, text});
        },
        detached);
    auto size = good ? 1 : 2;
    send(message{size ? 1 : 2, "co_await x && co_await y"}); // co_await in a text
    auto lambda = [text, size]() mutable -> task<>
    {
        co_await f();
    };
    co_await lambda();
    if ((good = co_await f()))
        use(good);
    while ((reply = co_await f()) != nullptr)
        use(*reply);
    for (auto item = co_await f(); item; item = co_await f())
        use(item);
    auto pair = co_await brood::all(a(), b());
    auto& [one, two] = pair;
    auto number = co_await f();
    switch (number)
    {
    case 1:
        use(message{1, "x"});
        break;
    default:
        co_await f();
    }
    for (;;)
    {
        slot.start();
        co_await slot.exit();
    }
    do
        co_await f();
    while (good);
    try
    {
        co_await f();
    }
    catch (const error& e)
    {
        failure = e;
    }
    auto executor = co_await this_coro::executor;
    const auto& [a, b] = co_await pair();
    auto raw = R"(co_await x && co_await y)";
    array[size] = co_await f();
    co_await f(array[size], array[0]);
    REQUIRE(array[index[0]]);
    co_await f(array[index[0]]);
    using alias = std::vector<int>;
    co_await f(static_cast<const message&&>(m));
    co_return;
}

template <class Reply, class Request>
task<Reply> constrained(Request request) requires message<Request>
{
    co_await flush();
    co_return co_await call<Reply>(request);
}

auto pool = cluster<[](process& self) -> task<>
                    {
                        co_await self.message<int>();
                    }>({.size = 4});
