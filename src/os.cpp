// SPDX-License-Identifier: BSL-1.0

#include <brood/os/impl/cpu.ipp>
#include <brood/os/impl/host.ipp>
#include <brood/os/impl/memory.ipp>
#include <brood/os/impl/network.ipp>
#include <brood/os/impl/oom_kills.ipp>
#include <brood/os/impl/priority.ipp>
#include <brood/os/impl/user.ipp>
