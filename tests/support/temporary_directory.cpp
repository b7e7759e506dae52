// SPDX-License-Identifier: BSL-1.0
#include "support/temporary_directory.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace brood::test
{

temporary_directory::temporary_directory()
{
    auto text = (std::filesystem::temp_directory_path() / "brood-test-XXXXXX").string();
    if (::mkdtemp(text.data()) == nullptr)
        throw std::runtime_error("mkdtemp " + text);
    path_ = std::filesystem::canonical(text);
}

temporary_directory::~temporary_directory()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string temporary_directory::write(const std::string& name, const std::string& content) const
{
    auto file = path_ / name;
    std::ofstream(file, std::ios::binary) << content;
    if (content.rfind("#!", 0) == 0)
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file.string();
}

std::string read_file(const std::filesystem::path& path)
{
    std::ostringstream content;
    content << std::ifstream(path, std::ios::binary).rdbuf();
    return content.str();
}

} // namespace brood::test
