// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/launcher.hpp>
#include <brood/remote/arrival.hpp>
#include <brood/remote/command_options.hpp>

#include <memory>

namespace brood
{

/// A launcher of workers that a command starts: `brood::pool<fib> pool(launch_by(options))`.
///
/// Descriptors cannot be sent to them, shared_bytes neither. Signals reach them by the stdin of the
/// command, also those whose loop stands still. Throws what check() throws.
std::shared_ptr<launcher> launch_by(const command_options& options);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/command_launcher.ipp>
#endif
