// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>

namespace brood::detail
{

/// Says what happens at a door: to a function, or else on stderr, one line a second at most, so
/// that nobody fills a disk by knocking.
class door_report
{
public:
    using clock = std::chrono::steady_clock;

    explicit door_report(std::function<void(const std::string&)> to) : to_(std::move(to)) {}

    void operator()(const std::string& sentence)
    {
        if (to_)
            return to_(sentence);
        auto now = clock::now();
        if (last_ != clock::time_point() && now - last_ < std::chrono::seconds(1))
        {
            ++kept_;
            return;
        }
        last_ = now;
        auto more = std::exchange(kept_, 0);
        auto behind = more == 0 ? std::string() : " (and " + std::to_string(more) + " more)";
        std::fprintf(stderr, "brood: %s%s\n", sentence.c_str(), behind.c_str());
    }

private:
    std::function<void(const std::string&)> to_;
    clock::time_point last_;
    std::size_t kept_ = 0; // since then, and not said
};

} // namespace brood::detail
