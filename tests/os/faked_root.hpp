// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/temporary_directory.hpp"

#include <filesystem>
#include <fstream>
#include <string>

namespace brood::test
{

/// A folder that stands for "/": what Linux tells under /proc and /sys, as a test wants it.
class faked_root
{
public:
    /// Writes a file, "/proc/stat" for example, with the folders it needs.
    void write(const std::string& path, const std::string& content) const
    {
        std::filesystem::create_directories(std::filesystem::path(text() + path).parent_path());
        std::ofstream(text() + path, std::ios::binary) << content;
    }

    /// What stands before each path.
    std::string text() const { return folder_.path().string(); }

private:
    temporary_directory folder_;
};

} // namespace brood::test
