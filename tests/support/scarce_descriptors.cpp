// SPDX-License-Identifier: BSL-1.0
#include "support/scarce_descriptors.hpp"

#include <fcntl.h>

#include <algorithm>
#include <utility>

namespace brood::test
{

std::vector<descriptor> all_but(std::size_t left)
{
    std::vector<descriptor> opened;
    for (;;)
    {
        descriptor next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (!next)
            break;
        opened.push_back(std::move(next));
    }
    opened.resize(opened.size() - std::min(left, opened.size()));
    return opened;
}

} // namespace brood::test
