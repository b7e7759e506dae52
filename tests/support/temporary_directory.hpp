// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <string>

namespace brood::test
{

/// An empty directory that nobody else has, and that goes with this object.
class temporary_directory
{
public:
    temporary_directory();

    ~temporary_directory();

    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;

    /// Where it is, absolute and without symbolic links.
    const std::filesystem::path& path() const noexcept { return path_; }

    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

    /// Writes a file into it and gives its path; executable when it starts with "#!".
    std::string write(const std::string& name, const std::string& content) const;

private:
    std::filesystem::path path_;
};

/// The whole content of a file, one under /proc too; empty when it cannot be read.
std::string read_file(const std::filesystem::path& path);

} // namespace brood::test
