// SPDX-License-Identifier: BSL-1.0
#include "support/leftovers.hpp"
#include "support/descriptors.hpp"
#include "support/patience.hpp"

#include <algorithm>
#include <chrono>

namespace brood::test
{

leftovers::leftovers() : descriptors_(open_descriptors()), children_(children()) {}

std::vector<process_line> leftovers::new_children() const
{
    auto known = [this](const process_line& line)
    {
        return std::any_of(children_.begin(), children_.end(),
                           [&line](const process_line& before) { return before.pid == line.pid; });
    };
    auto found = children();
    std::erase_if(found, known);
    return found;
}

std::vector<std::string> leftovers::sentences() const
{
    wait_until(std::chrono::milliseconds(250), [this] { return new_children().empty(); });
    auto found = changes(descriptors_, open_descriptors());
    for (auto& line : new_children())
        found.push_back(to_string(line));
    return found;
}

} // namespace brood::test
