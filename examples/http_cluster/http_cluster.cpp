// SPDX-License-Identifier: BSL-1.0
// A web server with one worker per core, on port 8080 or $PORT. A worker that dies is replaced, and
// the port keeps answering.
#include <brood/brood.hpp>
#include <brood/http.hpp>

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

brood::task<> answer(brood::http::request&, brood::http::response& response)
{
    static std::mt19937 random(std::random_device{}());
    auto number = std::to_string(random() % 100);
    auto pid = std::to_string(brood::process::pid());
    co_await response.end(number + " from process " + pid + "\n");
}

brood::task<> serve(brood::process& self) // runs in the workers
{
    auto chosen = std::getenv("PORT");
    auto port = chosen != nullptr ? std::atoi(chosen) : 8080;
    auto listener = co_await self.listen(static_cast<std::uint16_t>(port));
    co_await brood::http::serve(listener, answer);
}

brood::task<> primary() // runs here
{
    brood::cluster<serve> workers;
    co_await workers.ready();
    std::cout << "http://localhost:" << workers.workers().front().port() << "/" << std::endl;
    while (auto ended = co_await workers.exit())
        std::cout << *ended << std::endl;
}

int main()
{
    return brood::run(primary);
}
