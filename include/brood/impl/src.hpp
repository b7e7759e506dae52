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

#include <brood/base/impl/all.ipp>
#include <brood/base/impl/loop.ipp>
#include <brood/base/impl/task.ipp>
#include <brood/base/impl/task_group.ipp>

#include <brood/os/impl/cpu.ipp>
#include <brood/os/impl/host.ipp>
#include <brood/os/impl/memory.ipp>
#include <brood/os/impl/network.ipp>
#include <brood/os/impl/oom_kills.ipp>
#include <brood/os/impl/priority.ipp>
#include <brood/os/impl/user.ipp>

#include <brood/wire/impl/attachment.ipp>
#include <brood/wire/impl/call.ipp>
#include <brood/wire/impl/channel.ipp>
#include <brood/wire/impl/control.ipp>
#include <brood/wire/impl/frames.ipp>
#include <brood/wire/impl/shared_bytes.ipp>

#include <brood/process/impl/arrival.ipp>
#include <brood/process/impl/child_process.ipp>
#include <brood/process/impl/entries.ipp>
#include <brood/process/impl/environment.ipp>
#include <brood/process/impl/exec.ipp>
#include <brood/process/impl/far_child.ipp>
#include <brood/process/impl/fork.ipp>
#include <brood/process/impl/listener.ipp>
#include <brood/process/impl/peers.ipp>
#include <brood/process/impl/pipe.ipp>
#include <brood/process/impl/process.ipp>
#include <brood/process/impl/run.ipp>
#include <brood/process/impl/service_manager.ipp>
#include <brood/process/impl/signals.ipp>
#include <brood/process/impl/spawn.ipp>
#include <brood/process/impl/stdio.ipp>
#include <brood/process/impl/traffic.ipp>
#include <brood/process/impl/worker_limits.ipp>

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

#include <brood/pool/impl/map_run.ipp>
#include <brood/pool/impl/pool_map.ipp>
#include <brood/pool/impl/progress.ipp>
#include <brood/pool/impl/progress_bar.ipp>
#include <brood/pool/impl/run_chunk.ipp>

#include <brood/metrics/impl/prometheus.ipp>

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

#include <brood/remote/impl/deploy.ipp>
#include <brood/remote/impl/host_list.ipp>
#include <brood/remote/impl/launch_command.ipp>
#include <brood/remote/impl/launched_exit.ipp>
#include <brood/remote/impl/node_list.ipp>
#include <brood/remote/impl/placement.ipp>
#include <brood/remote/impl/program_file.ipp>
#include <brood/remote/impl/reverse_forward.ipp>
#include <brood/remote/impl/slurm_allocation.ipp>
#include <brood/remote/impl/slurm_command.ipp>
#include <brood/remote/impl/slurm_options.ipp>
#include <brood/remote/impl/ssh_command.ipp>
#include <brood/remote/impl/ssh_failure.ipp>

#if __has_include(<boost/beast/http/basic_parser.hpp>)
#include <brood/http/impl/access_record.ipp>
#include <brood/http/impl/byte_range.ipp>
#include <brood/http/impl/client.ipp>
#include <brood/http/impl/client_request.ipp>
#include <brood/http/impl/client_response.ipp>
#include <brood/http/impl/conditions.ipp>
#include <brood/http/impl/content_type.ipp>
#include <brood/http/impl/date.ipp>
#include <brood/http/impl/etag.ipp>
#include <brood/http/impl/fields.ipp>
#include <brood/http/impl/file.ipp>
#include <brood/http/impl/health.ipp>
#include <brood/http/impl/host.ipp>
#include <brood/http/impl/percent.ipp>
#include <brood/http/impl/refusal.ipp>
#include <brood/http/impl/request.ipp>
#include <brood/http/impl/response.ipp>
#include <brood/http/impl/server.ipp>
#include <brood/http/impl/status.ipp>
#include <brood/http/impl/target.ipp>
#include <brood/http/impl/upload.ipp>
#include <brood/http/impl/url.ipp>
#endif

// Needs OpenSSL: programs that use <brood/remote.hpp> say so.
#if defined(BROOD_REMOTE)
#include <brood/remote/impl/arrival.ipp>
#include <brood/remote/impl/command_launcher.ipp>
#include <brood/remote/impl/external.ipp>
#include <brood/remote/impl/secret.ipp>
#include <brood/remote/impl/slurm.ipp>
#include <brood/remote/impl/ssh.ipp>
#include <brood/remote/impl/tls.ipp>
#endif
