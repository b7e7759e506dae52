// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

extern "C" const char BROOD_BODIES = 0;
