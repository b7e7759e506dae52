// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/settings.hpp>
#include <brood/cluster/supervisor.hpp>

#include <cstddef>

/// Settings that fit together, each for one kind of program; a place to begin from.
namespace brood::preset
{

/// A server that is to run for years: workers are always started again, after growing waits; more
/// than five failures of a slot in 30 s end the cluster; a loop that stands still for 10 s is
/// replaced; 30 s to finish. What cluster_settings has by default.
cluster_settings service(std::size_t size = 0);

/// Work that comes to an end: a worker that returns is done, and so is the cluster with the last of
/// them; one that fails is started again, twice. Workers may compute for as long as they like.
cluster_settings batch(std::size_t size = 0);

/// Children that are of use together only: all are restarted with any of them, and a second failure
/// within 5 s ends them all, so that the one above decides.
supervisor critical_tree(asio::any_io_executor executor);

supervisor critical_tree();

/// A program that is being written: one worker, whose lines say who printed them, in colours on a
/// terminal; 1 s to finish; never more than 2 s until it is started again, however often it fails.
/// For a restart when a file changes, see file_watch.
cluster_settings dev(std::size_t size = 1);

} // namespace brood::preset

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/cluster/impl/presets.ipp>
#endif
