// SPDX-License-Identifier: BSL-1.0
// Messages a second, one way to a child.
//
// usage: stream SIZE COUNT
#include "measure.hpp"
#include "messages.hpp"

#include <brood/brood.hpp>

#include <cereal/types/array.hpp>
#include <cereal/types/vector.hpp>

#include <vector>

namespace
{

long size = 64;
long count = 1'000'000;

using bytes = std::vector<char>;

template <class Message>
struct reader
{
    static brood::task<> take(brood::process& self, long expected)
    {
        for (long taken = 0; taken < expected; ++taken)
        {
            auto message = co_await self.message<Message>();
            if (!message)
                std::abort();
        }
        self.send(1);
    }
};

template <class Message>
brood::task<> stream(const Message& message)
{
    brood::forked_process child = brood::fork<&reader<Message>::take>(count);
    bench::stopwatch watch;
    for (long sent = 0; sent < count; ++sent)
    {
        auto room = child.send(message);
        if (!room)
            co_await child.drain();
    }
    co_await child.message<int>();
    bench::report(static_cast<double>(count) / watch.seconds());
}

brood::task<> parent()
{
    bench::block block;
    bytes many(static_cast<std::size_t>(size));
    std::array<std::uint64_t, 2> pair{};
    if (size == 16)
        co_await stream(pair);
    else if (size == 64)
        co_await stream(block);
    else
        co_await stream(many);
}

} // namespace

int main(int argc, char** argv)
{
    size = bench::argument(argc, argv, 1, size);
    count = bench::argument(argc, argv, 2, count);
    return brood::run(parent);
}
