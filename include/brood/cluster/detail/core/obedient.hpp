// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/cluster.hpp>
#include <brood/cluster/rolling.hpp>
#include <brood/process/stop_policy.hpp>

#include <cstddef>
#include <exception>
#include <string>
#include <utility>

namespace brood::detail
{

/// What signals tell what to do: a cluster or a supervisor.
class obedient
{
public:
    obedient() = default;
    obedient(const obedient&) = delete;
    obedient& operator=(const obedient&) = delete;
    virtual ~obedient() = default;

    virtual task<> stop() = 0;
    virtual task<> stop(const stop_policy& how) = 0;
    virtual task<reload_report> reload() = 0;
    virtual std::string table() const = 0;
    virtual std::exception_ptr failure() const noexcept = 0;

    /// Of those that can be added and removed; a supervisor has none.
    virtual std::size_t size() const noexcept = 0;
    virtual task<> scale(std::size_t size) = 0;
};

/// A cluster that obeys.
class obedient_cluster : public obedient
{
public:
    explicit obedient_cluster(any_cluster& workers) noexcept : workers_(&workers) {}

    task<> stop() override { return workers_->stop(); }

    task<> stop(const stop_policy& how) override { return workers_->stop(how); }

    task<reload_report> reload() override { return workers_->reload(); }

    std::string table() const override { return to_string(workers_->stats()); }

    std::exception_ptr failure() const noexcept override { return workers_->failure(); }

    std::size_t size() const noexcept override { return workers_->size(); }

    task<> scale(std::size_t size) override { return workers_->scale(size); }

private:
    any_cluster* workers_;
};

} // namespace brood::detail
