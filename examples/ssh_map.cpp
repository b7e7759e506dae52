// SPDX-License-Identifier: BSL-1.0
// A map over the processors of other machines, which are reached by ssh: ./ssh_map n1:4 n2:8 me@n3
//
// The program must be there by the same path. Without hosts its workers are here.
//
// Prints:
//   pi is about 3.14122
#include <brood/brood.hpp>
#include <brood/pool.hpp>
#include <brood/remote.hpp>

#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

constexpr std::uint64_t points = 100'000, parts = 100;

/// How many of the points of one part, which are random, lie in a quarter of a circle.
std::uint64_t hits(std::uint64_t part)
{
    std::uint64_t inside = 0, state = part * 0x9e3779b97f4a7c15 + 1;
    auto next = [&]
    {
        state = state * 6364136223846793005 + 1442695040888963407;
        return static_cast<double>(state >> 11) / static_cast<double>(std::uint64_t{1} << 53);
    };
    for (std::uint64_t point = 0; point < points; ++point)
    {
        auto x = next();
        auto y = next();
        inside += x * x + y * y < 1 ? 1 : 0;
    }
    return inside;
}

brood::pool_settings settings_for(const std::vector<std::string>& words)
{
    std::string hosts;
    for (std::size_t place = 1; place < words.size(); ++place)
        hosts += words[place] + ' ';
    if (hosts.empty())
        return {};
    return brood::ssh(brood::host_list::parse(hosts));
}

brood::task<> run(brood::process&)
{
    brood::pool<hits> pool(settings_for(brood::process::argv()));
    std::vector<std::uint64_t> all(parts);
    for (std::uint64_t part = 0; part < parts; ++part)
        all[part] = part;

    auto results = pool.map(all);
    std::uint64_t inside = 0;
    while (auto found = co_await results.next())
        inside += *found;
    std::cout << "pi is about " << 4.0 * static_cast<double>(inside) / (points * parts) << '\n';
    co_await pool.finish();
}

int main()
{
    return brood::run(run);
}
