// SPDX-License-Identifier: BSL-1.0

#include <brood/impl/config.hpp>
