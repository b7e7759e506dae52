// SPDX-License-Identifier: BSL-1.0
#pragma once

// Figures for programs that watch: optional, not in brood.hpp.

#include <brood/impl/config.hpp>

#include <brood/metrics/pool_metrics.hpp>
#include <brood/metrics/prometheus.hpp>
