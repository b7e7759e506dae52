// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/restart_policy.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>

namespace brood::detail
{

/// A place in a cluster, and the worker that has it.
struct slot
{
    std::size_t index = 0;
    std::map<std::string, std::string> variables; // in the environment of its workers
    std::shared_ptr<worker_core> worker;
    failure_history failures;
    std::size_t starts = 1; // of workers here, from the beginning
    std::size_t failed = 0; // of those
    bool wanted = true;     // whether its worker is to have a successor
    bool kept = true;       // false once it stays empty
};

} // namespace brood::detail
