// SPDX-License-Identifier: BSL-1.0
// Dice that are thrown 12.8 million times, over the processors of an allocation, with a progress
// bar:
//
//     ./slurm_map --nodes 4        asks Slurm for four nodes, and gives them back
//     sbatch -N4 job.sh            with ./slurm_map in it uses those of the job
//
// The program must be there by the same path. Without Slurm its workers are here.
//
// Prints:
//   ##############################  100 %  128/128, <n>/s
//   the mean of 12800000 throws is 3.5
#include <brood/brood.hpp>
#include <brood/pool.hpp>
#include <brood/remote.hpp>

#include <cmath>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

constexpr std::uint64_t throws = 100'000, parts = 128;

/// The sum of the eyes of one part of all throws of a die; runs in the workers.
std::uint64_t throw_dice(std::uint64_t part)
{
    std::uint64_t state = part * 0x9e3779b97f4a7c15 + 1, sum = 0;
    for (std::uint64_t count = 0; count < throws; ++count)
    {
        state = state * 6364136223846793005 + 1442695040888963407;
        sum += (state >> 33) % 6 + 1;
    }
    return sum;
}

/// Workers on the nodes of an allocation, if there is one or one is wanted.
brood::pool_settings settings_for(const std::vector<std::string>& words)
{
    brood::slurm_options options;
    if (words.size() == 3 && words[1] == "--nodes")
        options.nodes = std::stoul(words[2]);
    else if (!brood::slurm_allocation::from(brood::environment()))
        return {};
    return brood::slurm(options);
}

brood::task<> run(brood::process& self)
{
    brood::pool<throw_dice> pool(settings_for(self.argv()));
    brood::progress_bar bar; // on standard error
    std::vector<std::uint64_t> all(parts);
    for (std::uint64_t part = 0; part < parts; ++part)
        all[part] = part;

    auto results = pool.map(all);
    std::uint64_t sum = 0;
    while (auto eyes = co_await results.next())
    {
        sum += *eyes;
        bar.show(results.progress());
    }
    auto mean = static_cast<double>(sum) / (throws * parts);
    std::cout << "the mean of " << throws * parts << " throws is " << std::round(mean * 100) / 100
              << '\n';
    co_await pool.finish();
}

int main()
{
    return brood::run(run);
}
