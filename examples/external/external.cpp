// SPDX-License-Identifier: BSL-1.0
// Workers that somebody else starts, an orchestrator of containers say. One program: the primary
// waits at an address, and whoever has BROOD_JOIN in its environment is a worker of it.
//
//     BROOD_TOKEN_FILE=token ./external tls://0.0.0.0:7000
//     BROOD_TOKEN_FILE=token BROOD_JOIN=tls://head:7000 ./external
//
// Without an address it plays both: it listens on this machine and starts two workers itself.
//
// Prints:
//   16 numbers are prime
#include <brood/brood.hpp>
#include <brood/pool.hpp>
#include <brood/remote.hpp>

#include <cstdint>
#include <iostream>
#include <numeric>
#include <string>
#include <unistd.h>
#include <vector>

bool is_prime(std::uint64_t number)
{
    for (std::uint64_t divisor = 2; divisor * divisor <= number; ++divisor)
        if (number % divisor == 0)
            return false;
    return number > 1;
}

/// What an orchestrator does: starts this program, and says by its environment where to go.
brood::child_process start_worker(const std::string& address, const std::string& token_file)
{
    brood::spawn_options options;
    options.env.emplace().set("BROOD_JOIN", address);
    options.env->set("BROOD_TOKEN_FILE", token_file);
    options.stderr_ = brood::stdio::ignore();
    return brood::spawn("/proc/self/exe", {}, options);
}

brood::task<> count(const std::string& address, const brood::external_options& options)
{
    auto door = brood::external(address, options);
    std::vector<brood::child_process> started;
    if (!options.token_file.empty())
        for (int number = 0; number < 2; ++number)
            started.push_back(
                start_worker(door->name().substr(door->name().find("tcp://")), options.token_file));

    brood::pool_settings settings(door);
    settings.attempts = brood::at_least_once(); // workers come and go
    brood::pool<is_prime> pool(settings);
    std::vector<std::uint64_t> numbers(400);
    std::iota(numbers.begin(), numbers.end(), std::uint64_t{1'000'000'000'000});
    auto answers = pool.map(numbers);
    int primes = 0;
    while (auto prime = co_await answers.next())
        primes += *prime ? 1 : 0;
    std::cout << primes << " numbers are prime\n";
    co_await pool.finish();
    for (auto& each : started)
        co_await each.exit();
}

brood::task<> run(brood::process&)
{
    brood::external_options options;
    options.workers = 8;
    auto words = brood::process::argv();
    if (words.size() > 1)
        co_return co_await count(words[1], options);
    options.token_file = "/tmp/brood-token-" + std::to_string(::getpid());
    options.report = [](const std::string&) {
    };
    co_await count("tcp://127.0.0.1:0", options);
    ::unlink(options.token_file.c_str());
}

int main()
{
    return brood::run(run);
}
