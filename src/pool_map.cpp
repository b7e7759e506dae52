// SPDX-License-Identifier: BSL-1.0
// The bodies of maps over pools, and of their progress.
#include <brood/pool/impl/map_run.ipp>
#include <brood/pool/impl/pool_map.ipp>
#include <brood/pool/impl/progress.ipp>
#include <brood/pool/impl/progress_bar.ipp>
#include <brood/pool/impl/run_chunk.ipp>
