// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/pool_stats.hpp>

#include <string>
#include <string_view>

namespace brood
{

/// The figures of a pool in the text format that Prometheus reads, as prometheus_text() of a
/// cluster has them: its calls, and then its workers, whose label `cluster` is the same name.
///
/// `name` is the value of the label `pool`.
std::string prometheus_text(const pool_stats& stats, std::string_view name = "calls");

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/metrics/impl/pool_metrics.ipp>
#endif
