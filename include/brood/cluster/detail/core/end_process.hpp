// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

namespace brood::detail
{

/// on_limit::exit: tells the story, and ends this process.
[[noreturn]] inline void end_process(const std::string& story, int code)
{
    std::fprintf(stderr, "brood: process %d: %s\n", static_cast<int>(::getpid()), story.c_str());
    std::exit(code);
}

} // namespace brood::detail
