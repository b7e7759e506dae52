// SPDX-License-Identifier: BSL-1.0
// Sockets a second that move to a child, one with each message.
//
// usage: descriptors [COUNT]
#include "measure.hpp"

#include <brood/brood.hpp>

#include <sys/socket.h>

namespace
{

long count = 20'000;

brood::task<> take(brood::process& self)
{
    for (;;)
    {
        auto taken = co_await self.message<brood::carrying<int, brood::descriptor>>();
        if (!taken)
            break;
        if (taken->message == 1)
            self.send(1);
    }
}

brood::task<> parent()
{
    auto child = brood::fork<take>();
    brood::descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    bench::stopwatch watch;
    for (long sent = 0; sent < count; ++sent)
    {
        auto room = child.send(sent + 1 == count ? 1 : 0, socket.duplicate());
        if (!room)
            co_await child.drain();
    }
    co_await child.message<int>();
    bench::report(static_cast<double>(count) / watch.seconds());
}

} // namespace

int main(int argc, char** argv)
{
    count = bench::argument(argc, argv, 1, count);
    return brood::run(parent);
}
