// SPDX-License-Identifier: BSL-1.0
// Connects to a port of this machine again and again, with 16 connections under way, waits until
// each is closed by the other side, and reports how many those are in a second.
//
// usage: raw_connections PORT COUNT
#include "measure.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>

namespace
{

constexpr std::size_t under_way = 16;

int connect_to(long port)
{
    int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    {
        std::perror("connect");
        std::exit(1);
    }
    return socket;
}

// Until the other side closes. Without what a graceful end costs: the client is not what is
// measured.
void finish(int socket)
{
    char byte = 0;
    while (::read(socket, &byte, 1) > 0)
    {
    }
    linger at_once = {1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(socket);
}

} // namespace

int main(int argc, char** argv)
{
    auto port = bench::argument(argc, argv, 1, 0);
    auto count = bench::argument(argc, argv, 2, 1'000);
    bench::stopwatch watch;
    std::deque<int> open;
    for (long begun = 0, done = 0; done < count; ++done)
    {
        for (; open.size() < under_way && begun < count; ++begun)
            open.push_back(connect_to(port));
        finish(open.front());
        open.pop_front();
    }
    bench::report(static_cast<double>(count) / watch.seconds());
}
