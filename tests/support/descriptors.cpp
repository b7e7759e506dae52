// SPDX-License-Identifier: BSL-1.0
#include "support/descriptors.hpp"

#include <dirent.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace brood::test
{

std::map<int, std::string> open_descriptors(const std::string& process)
{
    std::map<int, std::string> found;
    auto folder = "/proc/" + process + "/fd";
    std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(folder.c_str()), &::closedir);
    if (!listing)
        return found;
    while (auto* entry = ::readdir(listing.get()))
    {
        if (entry->d_name[0] == '.')
            continue;
        int number = std::atoi(entry->d_name);
        if (process == "self" && number == ::dirfd(listing.get()))
            continue;
        std::array<char, 512> target{};
        auto size = ::readlink((folder + "/" + entry->d_name).c_str(), target.data(), 512);
        found[number] = size < 0 ? "?" : std::string(target.data(), static_cast<size_t>(size));
    }
    return found;
}

std::vector<std::string> changes(const std::map<int, std::string>& before,
                                 const std::map<int, std::string>& after)
{
    std::vector<std::string> sentences;
    for (auto& [number, target] : after)
    {
        auto old = before.find(number);
        if (old == before.end())
            sentences.push_back("descriptor " + std::to_string(number) +
                                " was left open: " + target);
        else if (target != old->second && target != old->second + " (deleted)")
            sentences.push_back("descriptor " + std::to_string(number) + " was " + old->second +
                                " and is now " + target);
    }
    for (auto& [number, target] : before)
        if (after.count(number) == 0)
            sentences.push_back("descriptor " + std::to_string(number) +
                                " was closed by somebody who did not own it: " + target);
    return sentences;
}

} // namespace brood::test
