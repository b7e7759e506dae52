// SPDX-License-Identifier: BSL-1.0

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
