// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/obedient.hpp>
#include <brood/cluster/supervisor.hpp>

#include <cstddef>
#include <exception>
#include <string>

namespace brood::detail
{

/// A supervisor that obeys.
class obedient_supervisor : public obedient
{
public:
    explicit obedient_supervisor(supervisor& tree) noexcept : tree_(&tree) {}

    task<> stop() override { return tree_->stop(); }

    task<> stop(const stop_policy& how) override { return tree_->stop(how); }

    task<reload_report> reload() override { return tree_->reload(); }

    std::string table() const override { return to_string(tree_->stats()); }

    std::exception_ptr failure() const noexcept override { return tree_->failure(); }

    std::size_t size() const noexcept override { return 0; }

    task<> scale(std::size_t) override { co_return; }

private:
    supervisor* tree_;
};

} // namespace brood::detail
