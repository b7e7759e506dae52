// SPDX-License-Identifier: BSL-1.0
// Input of strangers is unpacked by a process that may compute, and nothing else. The unpacker has
// flaws, as they do: it believes lengths, opens what it is told to, and may never come to an end.
//
// Prints:
//   5 3a2b: aaabb
//   3000000000 3000000000a: stopped by its limit of memory (1 GiB)
//   9 1@: stopped by its limit of system calls
//   5 3a: ended by its limit of processor time (1 s)
#include <brood/brood.hpp>

#include <exception>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

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
            unpacked += std::filesystem::directory_iterator("/etc")->path();
        unpacked.append(count, letter);
    }
    return unpacked;
}

brood::task<> unpacker(brood::process& self, brood::worker_limits limits) // runs in the child
{
    limits.enter();
    auto answer = [limits](std::string packed)
    {
        try
        {
            return unpack(packed);
        }
        catch (...)
        {
            auto broken = broken_limit(limits, std::current_exception());
            throw std::runtime_error(broken.value_or("not well packed"));
        }
    };
    co_await self.serve(answer);
}

brood::task<> parent() // runs here
{
    brood::worker_limits limits;
    limits.memory = 1 << 30;
    limits.processor_time = 1s;
    limits.filter = brood::sandbox::compute();
    limits.check();

    auto child = brood::fork<unpacker>(limits);
    for (std::string packed : {"5 3a2b", "3000000000 3000000000a", "9 1@", "5 3a"})
    {
        std::cout << packed << ": ";
        try
        {
            auto unpacked = co_await child.call<std::string>(packed);
            std::cout << unpacked << std::endl;
        }
        catch (const brood::remote_error& refused)
        {
            std::cout << refused.message() << std::endl;
        }
        catch (const brood::error&) // it is no more
        {
        }
    }
    auto ended = co_await child.exit();
    std::cout << broken_limit(limits, ended).value_or(to_string(ended)) << std::endl;
}

int main()
{
    return brood::run(parent);
}
