// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace brood::test
{

/// An empty directory that nobody else has, and that goes with this object.
class temporary_directory
{
public:
    temporary_directory()
    {
        auto text = (std::filesystem::temp_directory_path() / "brood-test-XXXXXX").string();
        if (::mkdtemp(text.data()) == nullptr)
            throw std::runtime_error("mkdtemp " + text);
        path_ = std::filesystem::canonical(text);
    }

    ~temporary_directory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;

    /// Where it is, absolute and without symbolic links.
    const std::filesystem::path& path() const noexcept { return path_; }

    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

    /// Writes a file into it and gives its path; executable when it starts with "#!".
    std::string write(const std::string& name, const std::string& content) const
    {
        auto file = path_ / name;
        std::ofstream(file, std::ios::binary) << content;
        if (content.rfind("#!", 0) == 0)
            std::filesystem::permissions(file, std::filesystem::perms::owner_all);
        return file.string();
    }

private:
    std::filesystem::path path_;
};

/// The whole content of a file, one under /proc too; empty when it cannot be read.
inline std::string read_file(const std::filesystem::path& path)
{
    std::ostringstream content;
    content << std::ifstream(path, std::ios::binary).rdbuf();
    return content.str();
}

} // namespace brood::test
