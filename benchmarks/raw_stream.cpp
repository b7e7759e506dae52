// SPDX-License-Identifier: BSL-1.0
// The limit of stream: blocks a second over a socket pair, one write for each, as a program without
// a framework does it.
//
// usage: raw_stream SIZE COUNT
#include "measure.hpp"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

int main(int argc, char** argv)
{
    auto size = static_cast<std::size_t>(bench::argument(argc, argv, 1, 64)) + 24; // with a header
    auto count = bench::argument(argc, argv, 2, 1'000'000);
    auto total = size * static_cast<std::size_t>(count);
    int ends[2];
    ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    int room = 512 << 10; // as brood's channels have it
    for (auto end : ends)
        ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if (::fork() == 0)
    {
        ::close(ends[0]);
        std::vector<char> into(std::max<std::size_t>(size, 65'536));
        for (std::size_t taken = 0; taken < total;)
            taken += static_cast<std::size_t>(::read(ends[1], into.data(), into.size()));
        [[maybe_unused]] auto written = ::write(ends[1], "", 1);
        ::_exit(0);
    }
    ::close(ends[1]);
    std::vector<char> block(size);
    bench::stopwatch watch;
    for (long sent = 0; sent < count; ++sent)
        for (std::size_t done = 0; done < size;)
            done += static_cast<std::size_t>(::write(ends[0], block.data() + done, size - done));
    char done = 0;
    [[maybe_unused]] auto read = ::read(ends[0], &done, 1);
    bench::report(static_cast<double>(count) / watch.seconds());
    ::wait(nullptr);
}
