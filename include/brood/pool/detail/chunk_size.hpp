// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/map_options.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace brood::detail
{

/// How many items the next chunk has, from what those before have cost.
///
/// Begins with one item, so that nothing is taken for cheap that is not, and grows at most
/// eightfold with each answer.
class chunk_size
{
public:
    using duration = std::chrono::duration<double>;

    explicit chunk_size(const map_options& options)
        : fixed_(options.chunk != 0), time_(options.chunk_time), bytes_(options.chunk_bytes),
          items_(fixed_ ? options.chunk : 1)
    {
    }

    std::size_t items() const noexcept { return items_; }

    /// A worker has answered so many items, in this time, with so many bytes.
    void measured(std::size_t items, duration took, std::size_t answer)
    {
        if (fixed_ || items == 0)
            return;
        auto count = static_cast<double>(items);
        cost_ = mean(cost_, took.count() / count);
        weight_ = mean(weight_, static_cast<double>(answer) / count);
        auto by_time = time_.count() / std::max(cost_, 1e-9);
        auto by_bytes = static_cast<double>(bytes_) / std::max(weight_, 1.0);
        auto most = static_cast<double>(std::max(items_, std::min(items * growth, largest)));
        items_ = static_cast<std::size_t>(std::clamp(std::min(by_time, by_bytes), 1.0, most));
    }

    /// A worker was lost with a chunk. Smaller ones lose less.
    void lost() noexcept
    {
        if (!fixed_)
            items_ = std::max<std::size_t>(items_ / 2, 1);
    }

private:
    static constexpr std::size_t growth = 8;
    static constexpr std::size_t largest = std::size_t{1} << 16;

    // Follows within some chunks; one chunk that was slow by chance, as a first one is, says
    // little.
    static double mean(double before, double now)
    {
        return before == 0 || now < before ? now : before + (now - before) / 4;
    }

    bool fixed_;
    duration time_;
    std::size_t bytes_;
    std::size_t items_;
    double cost_ = 0;   // seconds of a worker for an item
    double weight_ = 0; // bytes of the answer for an item
};

} // namespace brood::detail
