// SPDX-License-Identifier: BSL-1.0
// The limit of calls to many workers: one epoll set, read and write and nothing else. For all
// replies that have come from a worker, as many new requests leave with one call.
//
// usage: raw_fan_out [WORKERS [UNDER WAY [COUNT]]]
#include "measure.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace
{

constexpr std::size_t size = 4 + 24; // a number, with a header

/// Sends back all that comes, as soon as it has come.
void answer(int socket)
{
    std::array<char, 65'536> block;
    for (;;)
    {
        auto count = ::read(socket, block.data(), block.size());
        if (count <= 0 || ::write(socket, block.data(), static_cast<std::size_t>(count)) != count)
            return;
    }
}

struct worker
{
    int socket = -1;
    std::size_t left = 0; // bytes of requests that have not been sent
};

void ask(const worker& of, std::size_t bytes)
{
    static const std::array<char, 65'536> block{};
    if (::write(of.socket, block.data(), bytes) != static_cast<ssize_t>(bytes))
        std::abort();
}

std::vector<worker> start(long count)
{
    std::vector<worker> all;
    for (long each = 0; each < count; ++each)
    {
        int ends[2];
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
        if (::fork() == 0)
        {
            for (auto& other : all)
                ::close(other.socket);
            ::close(ends[0]);
            answer(ends[1]);
            ::_exit(0);
        }
        ::close(ends[1]);
        all.push_back({ends[0]});
    }
    return all;
}

void call_all(int epoll, std::vector<worker>& all, std::size_t times, std::size_t under_way)
{
    auto replies = all.size() * times * under_way * size;
    for (auto& each : all)
    {
        each.left = (times - 1) * under_way * size;
        ask(each, under_way * size);
    }
    std::array<epoll_event, 64> ready;
    std::array<char, 65'536> block;
    while (replies != 0)
    {
        auto count = ::epoll_wait(epoll, ready.data(), static_cast<int>(ready.size()), -1);
        for (int index = 0; index < count; ++index)
        {
            auto& from = all[ready[static_cast<std::size_t>(index)].data.u64];
            auto came = static_cast<std::size_t>(::read(from.socket, block.data(), block.size()));
            replies -= came;
            auto next = std::min(came, from.left);
            from.left -= next;
            if (next != 0)
                ask(from, next);
        }
    }
}

} // namespace

int main(int argc, char** argv)
{
    auto workers = bench::argument(argc, argv, 1, 8);
    auto under_way = static_cast<std::size_t>(bench::argument(argc, argv, 2, 16));
    auto count = static_cast<std::size_t>(bench::argument(argc, argv, 3, 500'000));
    auto all = start(workers);
    auto epoll = ::epoll_create1(EPOLL_CLOEXEC);
    for (std::size_t index = 0; index < all.size(); ++index)
    {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = index;
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, all[index].socket, &event);
    }
    auto times = std::max<std::size_t>(count / (all.size() * under_way), 1);
    call_all(epoll, all, times / 10 + 1, under_way);
    bench::stopwatch watch;
    call_all(epoll, all, times, under_way);
    bench::report(static_cast<double>(times * all.size() * under_way) / watch.seconds());
    for (auto& each : all)
        ::close(each.socket);
    while (::wait(nullptr) > 0)
        continue;
}
