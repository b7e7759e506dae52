// SPDX-License-Identifier: BSL-1.0
// The limit of round_trip: the same bytes over a socket pair, by epoll and nothing else.
//
// usage: raw_round_trip [ROUNDS]
#include "measure.hpp"

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

} // namespace

int main(int argc, char** argv)
{
    auto rounds = bench::argument(argc, argv, 1, 20'000);
    int ends[2];
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
