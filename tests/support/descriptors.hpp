// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <map>
#include <string>
#include <vector>

namespace brood::test
{

/// The open descriptors of this process, or of another, and where each one leads.
std::map<int, std::string> open_descriptors(const std::string& process = "self");

/// What differs between two looks at the open descriptors, as sentences; empty when nothing does.
std::vector<std::string> changes(const std::map<int, std::string>& before,
                                 const std::map<int, std::string>& after);

} // namespace brood::test
