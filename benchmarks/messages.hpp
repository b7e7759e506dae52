// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>

namespace bench
{

/// A message of 64 bytes.
struct block
{
    std::array<std::uint64_t, 8> words{};

    template <class Archive>
    void serialize(Archive& archive)
    {
        for (auto& word : words)
            archive(word);
    }
};

} // namespace bench
