// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/stats.hpp>
#include <brood/cluster/supervisor_stats.hpp>

#include <string>
#include <string_view>

namespace brood
{

/// The figures of a cluster in the text format that Prometheus reads, version 0.0.4: serve it as
/// `text/plain; version=0.0.4`. Workers are told by their slot, never by their pid, so that no
/// series dies with a worker; why they ended is the label `cause`, and a port `address`. The host
/// of a worker elsewhere is the label `host` of brood_worker_host_info, which is 1. Follows
/// https://prometheus.io/docs/instrumenting/exposition_formats/
///
/// `name` is the value of the label `cluster`.
std::string prometheus_text(const cluster_stats& stats, std::string_view name = "workers");

/// The same of a supervisor. A child is told by its name, as the label `child`, and `name` is the
/// value of the label `supervisor`.
std::string prometheus_text(const supervisor_stats& stats, std::string_view name = "children");

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/metrics/impl/prometheus.ipp>
#endif
