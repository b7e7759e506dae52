// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/exception_text.hpp>
#include <brood/base/internal/exception_type.hpp>
#include <brood/pool/internal/chunk.hpp>
#include <brood/process/worker_limits.hpp>

#include <exception>

namespace brood::detail
{

/// A failure as a worker tells it: with the limit that it comes from, if the worker has one.
inline item_failure told_failure(const std::exception_ptr& thrown, const worker_limits* limits)
{
    item_failure told{exception_type(thrown), exception_text(thrown)};
    if (limits != nullptr)
        if (auto broken = broken_limit(*limits, thrown))
            told.text += " (" + *broken + ')';
    return told;
}

} // namespace brood::detail
