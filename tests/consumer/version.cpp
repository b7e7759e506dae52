// SPDX-License-Identifier: BSL-1.0
#include "version.hpp"

#include <brood/version.hpp>

#include <cereal/types/string.hpp>

#include <string>

brood::task<> tell_version(brood::process& self)
{
    auto version = brood::current_version;
    auto text = std::to_string(version.major) + '.' + std::to_string(version.minor) + '.' +
                std::to_string(version.patch);
    self.send(text);
    co_return;
}
