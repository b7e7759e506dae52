// SPDX-License-Identifier: BSL-1.0
// The files of a folder, hashed by all processors, with a progress bar, and the broken ones named
// at the end. Without a folder on the command line it makes one.
//
// Prints:
//   ##############################  100 %  3/3, 1 failed, <n>/s
//   a.txt 89bdc07b544e7b2
//   b.txt 8a61e07b54dac5d
//   broken: c.txt: std::runtime_error: it is empty
#include <brood/brood.hpp>
#include <brood/pool.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace fs = std::filesystem;

std::uint64_t hash(std::string path) // runs in the workers
{
    if (fs::file_size(path) == 0)
        throw std::runtime_error("it is empty");
    std::ifstream file(path, std::ios::binary);
    std::uint64_t sum = 0xcbf29ce484222325; // FNV-1a
    for (char byte; file.get(byte);)
        sum = (sum ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    return sum;
}

std::vector<std::string> files_of(const fs::path& folder)
{
    std::vector<std::string> files;
    for (auto& each : fs::directory_iterator(folder))
        if (each.is_regular_file())
            files.push_back(each.path().string());
    std::sort(files.begin(), files.end());
    return files;
}

fs::path make_folder()
{
    auto folder = fs::temp_directory_path() / ("parallel_map." + std::to_string(::getpid()));
    fs::create_directory(folder);
    for (std::string name : {"a", "b", "c"})
        std::ofstream(folder / (name + ".txt")) << (name == "c" ? "" : name + "\n");
    return folder;
}

brood::task<> hash_all(brood::process& self)
{
    auto is_given = self.argv().size() > 1;
    auto folder = is_given ? fs::path(self.argv()[1]) : make_folder();
    auto files = files_of(folder);
    brood::pool<hash> pool;
    brood::progress_bar bar; // on standard error
    std::vector<std::string> hashes, broken;

    auto results = pool.map(files);
    for (auto& file : files)
    {
        auto name = fs::path(file).filename().string();
        try
        {
            auto sum = co_await results.next();
            std::ostringstream line;
            line << name << ' ' << std::hex << *sum;
            hashes.push_back(line.str());
        }
        catch (const brood::remote_error& failed)
        {
            broken.push_back(name + ": " + failed.type() + ": " + failed.message());
        }
        bar.show(results.progress());
    }
    for (auto& each : hashes)
        std::cout << each << '\n';
    for (auto& each : broken)
        std::cout << "broken: " << each << '\n';
    if (!is_given)
        fs::remove_all(folder);
}

int main()
{
    return brood::run(hash_all);
}
