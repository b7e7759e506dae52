// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/process_table.hpp"

#include <map>
#include <string>
#include <vector>

namespace brood::test
{

/// What a run of a body has left behind, as sentences: descriptors, children, zombies.
///
/// Looks once when it is made and compares with that later: what was there before is no fault.
class leftovers
{
public:
    leftovers();

    std::vector<process_line> new_children() const;

    /// Waits a moment for what the kernel is still taking down, then names what is left.
    std::vector<std::string> sentences() const;

private:
    std::map<int, std::string> descriptors_;
    std::vector<process_line> children_;
};

} // namespace brood::test
