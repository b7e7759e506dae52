// SPDX-License-Identifier: BSL-1.0

#include <brood/cluster/impl/child_event.ipp>
#include <brood/cluster/impl/cluster.ipp>
#include <brood/cluster/impl/event.ipp>
#include <brood/cluster/impl/file_watch.ipp>
#include <brood/cluster/impl/message_stream.ipp>
#include <brood/cluster/impl/presets.ipp>
#include <brood/cluster/impl/readiness.ipp>
#include <brood/cluster/impl/settings.ipp>
#include <brood/cluster/impl/signal_table.ipp>
#include <brood/cluster/impl/stats.ipp>
#include <brood/cluster/impl/supervisor.ipp>
#include <brood/cluster/impl/supervisor_stats.ipp>
#include <brood/cluster/impl/worker.ipp>
#include <brood/metrics/impl/prometheus.ipp>
