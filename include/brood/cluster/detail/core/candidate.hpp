// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/cluster_core.hpp>

#include <memory>
#include <utility>

namespace brood::detail
{

/// A worker that may take the place of another. As long as this is there, the cluster has not
/// ended.
class candidate
{
public:
    /// Starts it.
    candidate(std::shared_ptr<cluster_core> of, const slot& before)
        : inside_(of), core_(std::move(of)), place_(std::make_shared<slot>())
    {
        place_->index = before.index;
        place_->variables = before.variables;
        place_->worker = core_->workers().start(place_->index, place_->variables);
    }

    const std::shared_ptr<worker_core>& worker() const noexcept { return place_->worker; }

    /// Gives it the place, and ends the worker that had it.
    void take_place_of(const std::shared_ptr<slot>& before, exit_cause cause) const
    {
        core_->replace(before, place_, cause);
    }

private:
    cluster_core::stay inside_;
    std::shared_ptr<cluster_core> core_;
    std::shared_ptr<slot> place_;
};

} // namespace brood::detail
