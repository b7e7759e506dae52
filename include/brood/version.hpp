// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The version as one number for the preprocessor: major * 10000 + minor * 100 + patch.
#define BROOD_VERSION 100

namespace brood
{

/// The version in three numbers, by the rules of https://semver.org.
struct version_number
{
    int major;
    int minor;
    int patch;
};

inline constexpr version_number current_version{BROOD_VERSION / 10000, BROOD_VERSION / 100 % 100,
                                                BROOD_VERSION % 100};

} // namespace brood
