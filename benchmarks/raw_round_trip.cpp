// SPDX-License-Identifier: BSL-1.0
// The limit of round_trip: the same bytes over a socket pair, or over TCP on the loopback, by epoll
// and nothing else.
//
// usage: raw_round_trip [ROUNDS] [tcp]
#include "measure.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

constexpr std::size_t size = 64 + 24; // with a header

/// Answers each block, or sends the first one and counts the answers.
void exchange(int socket, long rounds, bool first)
{
    auto poll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event event = {};
    event.events = EPOLLIN | EPOLLET;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
    char block[size] = {};
    long count = first ? ::write(socket, block, size) == 0 : 0;
    while (count < rounds)
    {
        auto read = ::read(socket, block, size);
        if (read == 0)
            break;
        if (read < 0)
            ::epoll_wait(poll, &event, 1, -1);
        else if (++count < rounds || !first) [[maybe_unused]]
            auto written = ::write(socket, block, size);
    }
    ::close(poll);
}

void connect_by_tcp(int (&ends)[2])
{
    auto listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size_of_it = sizeof here;
    auto address = reinterpret_cast<sockaddr*>(&here);
    ::bind(listener, address, size_of_it);
    ::listen(listener, 1);
    ::getsockname(listener, address, &size_of_it);
    ends[0] = ::socket(AF_INET, SOCK_STREAM, 0);
    ::connect(ends[0], address, size_of_it);
    ends[1] = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    for (int end : ends)
    {
        int on = 1;
        ::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::fcntl(end, F_SETFL, O_NONBLOCK);
    }
}

} // namespace

int main(int argc, char** argv)
{
    auto rounds = bench::argument(argc, argv, 1, 20'000);
    int ends[2];
    if (argc > 2)
        connect_by_tcp(ends);
    else
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
    if (::fork() == 0)
    {
        ::close(ends[0]);
        exchange(ends[1], rounds + rounds / 10, false);
        ::_exit(0);
    }
    ::close(ends[1]);
    exchange(ends[0], rounds / 10, true);
    bench::stopwatch watch;
    exchange(ends[0], rounds, true);
    bench::report(watch.seconds() / static_cast<double>(rounds) * 1e6);
    ::close(ends[0]);
    ::wait(nullptr);
}
