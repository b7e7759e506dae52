// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace brood
{

/// The names of a compressed list, as Slurm writes SLURM_JOB_NODELIST: "n[1-3,07],m2" are n1, n2,
/// n3, n07 and m2, in this order.
///
/// A number keeps the zeros before it; more than one [] multiply: "r[1-2]n[1-2]". Empty text is no
/// name. Throws std::invalid_argument, with the text, for what no list is, and for one of more than
/// 65,536 names.
std::vector<std::string> expand_nodes(std::string_view text);

/// Numbers for one node each, as Slurm writes SLURM_TASKS_PER_NODE: "2(x3),1" is 2, 2, 2, 1.
///
/// Throws as expand_nodes().
std::vector<std::size_t> expand_counts(std::string_view text);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/node_list.ipp>
#endif
