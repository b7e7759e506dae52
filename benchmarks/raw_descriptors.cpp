// SPDX-License-Identifier: BSL-1.0
// The limit of descriptors: sendmsg and recvmsg with one socket each, which both sides close.
//
// usage: raw_descriptors [COUNT]
#include "measure.hpp"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace
{

/// A message of some bytes, with room for one descriptor.
struct envelope
{
    char bytes[32] = {};
    iovec place{bytes, sizeof bytes};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
    msghdr header = {};

    envelope()
    {
        header.msg_iov = &place;
        header.msg_iovlen = 1;
        header.msg_control = space;
        header.msg_controllen = sizeof space;
    }

    int* descriptor()
    {
        return reinterpret_cast<int*>(CMSG_DATA(reinterpret_cast<cmsghdr*>(space)));
    }
};

void send(int to, int given)
{
    envelope message;
    auto control = CMSG_FIRSTHDR(&message.header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(control), &given, sizeof given);
    if (::sendmsg(to, &message.header, 0) < 0)
        std::abort();
}

} // namespace

int main(int argc, char** argv)
{
    auto count = bench::argument(argc, argv, 1, 20'000);
    int ends[2];
    ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    if (::fork() == 0)
    {
        ::close(ends[0]);
        for (long taken = 0; taken < count; ++taken)
        {
            envelope message;
            if (::recvmsg(ends[1], &message.header, MSG_CMSG_CLOEXEC) <= 0)
                std::abort();
            ::close(*message.descriptor());
        }
        [[maybe_unused]] auto written = ::write(ends[1], "", 1);
        ::_exit(0);
    }
    ::close(ends[1]);
    auto socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench::stopwatch watch;
    for (long sent = 0; sent < count; ++sent)
    {
        auto copy = ::dup(socket);
        send(ends[0], copy);
        ::close(copy);
    }
    char done = 0;
    [[maybe_unused]] auto read = ::read(ends[0], &done, 1);
    bench::report(static_cast<double>(count) / watch.seconds());
    ::wait(nullptr);
}
