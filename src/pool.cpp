// SPDX-License-Identifier: BSL-1.0

#include <brood/metrics/impl/pool_metrics.ipp>
#include <brood/pool/impl/pool.ipp>
#include <brood/pool/impl/pool_calls.ipp>
#include <brood/pool/impl/pool_dispatch.ipp>
#include <brood/pool/impl/pool_settings.ipp>
#include <brood/pool/impl/pool_stats.ipp>
#include <brood/pool/impl/pool_workers.ipp>
#include <brood/pool/impl/serve.ipp>
#include <brood/pool/impl/this_call.ipp>
#include <brood/pool/impl/worker_lost.ipp>
