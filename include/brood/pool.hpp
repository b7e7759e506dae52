// SPDX-License-Identifier: BSL-1.0
#pragma once

// A function that is called in other processes as if it were here. Not in brood.hpp.

#include <brood/impl/config.hpp>

#include <brood/pool/call_options.hpp>
#include <brood/pool/map.hpp>
#include <brood/pool/map_options.hpp>
#include <brood/pool/outcome.hpp>
#include <brood/pool/pool.hpp>
#include <brood/pool/pool_settings.hpp>
#include <brood/pool/pool_stats.hpp>
#include <brood/pool/progress.hpp>
#include <brood/pool/progress_bar.hpp>
#include <brood/pool/this_call.hpp>
#include <brood/pool/worker_lost.hpp>
