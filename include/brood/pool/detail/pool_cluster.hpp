// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/cluster.hpp>
#include <brood/cluster/internal/worker_launcher.hpp>

#include <utility>

namespace brood::detail
{

/// The workers of a pool.
class pool_cluster : public any_cluster
{
public:
    pool_cluster(asio::any_io_executor executor, const cluster_settings& settings,
                 worker_launcher launch)
        : any_cluster(std::move(executor), settings, std::move(launch))
    {
    }
};

} // namespace brood::detail
