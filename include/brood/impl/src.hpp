// SPDX-License-Identifier: BSL-1.0
#pragma once

// Every body of brood, for the one source file of a program that compiles them:
//
//     #include <brood/impl/src.hpp>   // with BROOD_SEPARATE_COMPILATION defined everywhere

// clang-format off
#if !defined(BROOD_SEPARATE_COMPILATION)
#error "brood: <brood/impl/src.hpp> is for programs that define BROOD_SEPARATE_COMPILATION in all \
of their source files; without it brood is header-only and needs no source file"
#endif
// clang-format on

#include <brood/impl/agreement.ipp>

#include <brood/base/impl/loop.ipp>
#include <brood/base/impl/task.ipp>

#include <brood/wire/impl/attachment.ipp>
#include <brood/wire/impl/call.ipp>
#include <brood/wire/impl/channel.ipp>
#include <brood/wire/impl/frames.ipp>
#include <brood/wire/impl/shared_bytes.ipp>

#include <brood/cluster/impl/cluster.ipp>
#include <brood/cluster/impl/event.ipp>
#include <brood/cluster/impl/file_watch.ipp>
#include <brood/cluster/impl/message_stream.ipp>
#include <brood/cluster/impl/presets.ipp>
#include <brood/cluster/impl/settings.ipp>
#include <brood/cluster/impl/signal_table.ipp>
#include <brood/cluster/impl/stats.ipp>
#include <brood/cluster/impl/supervisor.ipp>
#include <brood/cluster/impl/worker.ipp>

#include <brood/metrics/impl/prometheus.ipp>
