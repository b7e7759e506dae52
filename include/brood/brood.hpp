// SPDX-License-Identifier: BSL-1.0
#pragma once

// The core in one include: everything but what is optional, and facts about the machine
// (brood/os/...).

#include <brood/impl/config.hpp>

#include <brood/version.hpp>

#include <brood/base/all.hpp>
#include <brood/base/buffer.hpp>
#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>
#include <brood/base/loop.hpp>
#include <brood/base/signal.hpp>
#include <brood/base/task.hpp>
#include <brood/base/task_group.hpp>

#include <brood/codec/archive.hpp>
#include <brood/codec/message.hpp>

#include <brood/wire/attachment.hpp>
#include <brood/wire/channel.hpp>
#include <brood/wire/shared_bytes.hpp>

#include <brood/process/child_process.hpp>
#include <brood/process/exec.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/launcher.hpp>
#include <brood/process/listener.hpp>
#include <brood/process/peers.hpp>
#include <brood/process/process.hpp>
#include <brood/process/run.hpp>
#include <brood/process/service_manager.hpp>
#include <brood/process/signals.hpp>
#include <brood/process/spawn.hpp>
#include <brood/process/worker_limits.hpp>

#include <brood/cluster/cluster.hpp>
#include <brood/cluster/file_watch.hpp>
#include <brood/cluster/presets.hpp>
#include <brood/cluster/signal_table.hpp>
#include <brood/cluster/supervisor.hpp>
