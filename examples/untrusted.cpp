// SPDX-License-Identifier: BSL-1.0
// Input of strangers is unpacked by workers that may compute, and nothing else. The unpacker has
// flaws, as they do: it believes lengths, opens what it is told to, and may never come to an end.
//
// Prints:
//   5 3a2b: aaabb
//   3000000000 3000000000a: std::bad_alloc (stopped by its limit of memory (1 GiB))
//   9 1@: open /etc/passwd: Operation not permitted (stopped by its limit of system calls)
//   5 3a: ended by its limit of processor time (1 s)
//   4 2c2d: ccdd
#include <brood/brood.hpp>
#include <brood/pool.hpp>

#include <iostream>
#include <sstream>
#include <string>

using namespace std::chrono_literals;

std::string content_of(const std::string& path)
{
    brood::descriptor file(brood::check(::open(path.c_str(), O_RDONLY), "open", path));
    std::string text(1000, ' ');
    auto count = brood::check(::read(file.get(), text.data(), text.size()), "read", path);
    return text.substr(0, static_cast<std::size_t>(count));
}

std::string unpack(const std::string& packed) // "5 3a2b": five characters, three a and two b
{
    std::istringstream rest(packed);
    std::string unpacked;
    std::size_t size = 0;
    rest >> size;
    while (unpacked.size() < size)
    {
        std::size_t count = 0;
        char letter = 0;
        rest >> count >> letter;
        if (letter == '@')
            unpacked += content_of("/etc/passwd");
        unpacked.append(count, letter);
    }
    return unpacked;
}

brood::task<> parent() // runs here
{
    brood::worker_limits limits;
    limits.memory = 1 << 30;
    limits.processor_time = 1s;
    limits.filter = brood::sandbox::compute();

    brood::pool_settings settings;
    settings.size = 2;
    settings.limits = limits;
    brood::pool<unpack> unpackers(settings);
    for (std::string packed : {"5 3a2b", "3000000000 3000000000a", "9 1@", "5 3a", "4 2c2d"})
    {
        std::cout << packed << ": ";
        try
        {
            auto unpacked = co_await unpackers(packed);
            std::cout << unpacked << std::endl;
        }
        catch (const brood::remote_error& refused)
        {
            std::cout << refused.message() << std::endl;
        }
        catch (const brood::worker_lost& lost)
        {
            std::cout << lost.ended().reason << std::endl;
        }
    }
}

int main()
{
    return brood::run(parent);
}
