// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/fork.hpp>

/// In another file: the headers may be included by any number of them.
brood::task<> tell_version(brood::process& self);
