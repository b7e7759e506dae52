// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/workforce.hpp>
#include <brood/cluster/detail/supervision/supervised.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace brood::detail
{

/// One worker, which keeps its ports while it is started again.
class supervised_worker : public supervised
{
public:
    supervised_worker(asio::any_io_executor executor, const cluster_settings& settings,
                      worker_launcher launch, std::string name)
        : workforce_(
              std::make_shared<workforce>(executor, settings, std::move(launch), std::move(name)))
    {
    }

    ~supervised_worker() override { workforce_->close(); }

    void start(end_observer) override { worker_ = workforce_->start(0, {}); }

    task<bool> ready() override { return worker_core::wait_ready(worker_); }

    task<exit_info> ended() override { return worker_core::wait_end(worker_); }

    void stop(exit_cause cause) override { workforce_->stop(worker_, cause, true); }

    std::optional<worker> find(std::string_view path) override
    {
        if (!path.empty() || !worker_)
            return std::nullopt;
        return worker(worker_);
    }

private:
    std::shared_ptr<workforce> workforce_;
    std::shared_ptr<worker_core> worker_;
};

} // namespace brood::detail
