// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/process.hpp>

namespace brood::test
{

/// A child, or a worker, that sends every number back until its parent has gone.
task<> echo(process& self);

} // namespace brood::test
