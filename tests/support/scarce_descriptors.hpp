// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>

#include <cstddef>
#include <vector>

namespace brood::test
{

/// All descriptors that this process may open, but for so many.
std::vector<descriptor> all_but(std::size_t left);

} // namespace brood::test
