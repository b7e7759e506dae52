// SPDX-License-Identifier: BSL-1.0
// The limit of calls: as many requests under way, answered by read and write and nothing else.
//
// usage: raw_calls [COUNT [UNDER WAY]]
#include "measure.hpp"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace
{

constexpr std::size_t size = 4 + 24; // a number, with a header

/// Sends back all that comes, as soon as it has come.
void answer(int socket)
{
    char block[65'536];
    for (;;)
    {
        auto count = ::read(socket, block, sizeof block);
        if (count <= 0 || ::write(socket, block, static_cast<std::size_t>(count)) != count)
            return;
    }
}

/// For each reply that has come a new request leaves, all of them with one call.
void ask(int socket, std::size_t requests, std::size_t under_way)
{
    std::vector<char> block(under_way * size);
    auto left = requests * size, waiting = std::size_t{0};
    auto room = block.size();
    while (left != 0 || waiting != 0)
    {
        auto next = std::min(room, left);
        if (next != 0 && ::write(socket, block.data(), next) != static_cast<ssize_t>(next))
            std::abort();
        left -= next;
        waiting += next;
        room = static_cast<std::size_t>(::read(socket, block.data(), block.size()));
        waiting -= room;
    }
}

} // namespace

int main(int argc, char** argv)
{
    auto count = static_cast<std::size_t>(bench::argument(argc, argv, 1, 100'000));
    auto under_way = static_cast<std::size_t>(bench::argument(argc, argv, 2, 64));
    int ends[2];
    ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    if (::fork() == 0)
    {
        ::close(ends[0]);
        answer(ends[1]);
        ::_exit(0);
    }
    ::close(ends[1]);
    ask(ends[0], count / 10, under_way);
    bench::stopwatch watch;
    ask(ends[0], count, under_way);
    bench::report(static_cast<double>(count) / watch.seconds());
    ::close(ends[0]);
    ::wait(nullptr);
}
