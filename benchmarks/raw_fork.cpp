// SPDX-License-Identifier: BSL-1.0
// The limit of fork: posix_spawn of this program, whose copy writes one byte into a socket pair,
// and waits for the end.
//
// usage: raw_fork COUNT | raw_fork idle
#include "measure.hpp"
#include "memory.hpp"

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

struct child
{
    int socket;
    pid_t pid;
};

/// A child that has said its first byte.
child start()
{
    int ends[2];
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
    char name[] = "/proc/self/exe", role[] = "child";
    char* arguments[] = {name, role, nullptr};
    child result{ends[0], 0};
    if (::posix_spawn(&result.pid, name, &actions, nullptr, arguments, environ) != 0)
        std::abort();
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    char first = 0;
    if (::read(result.socket, &first, 1) != 1)
        std::abort();
    return result;
}

void end(const child& of)
{
    ::close(of.socket);
    ::waitpid(of.pid, nullptr, 0);
}

int greet()
{
    char word = 1;
    return ::write(0, &word, 1) == 1 && ::read(0, &word, 1) == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv)
{
    std::string_view role(argc > 1 ? argv[1] : "");
    if (role == "child")
        return greet();
    if (role == "idle")
    {
        auto waits = start();
        bench::report(bench::private_kilobytes(waits.pid));
        end(waits);
        return 0;
    }
    auto count = bench::argument(argc, argv, 1, 100);
    double total = 0;
    for (long time = 0; time < count; ++time)
    {
        bench::stopwatch watch;
        auto started = start();
        total += watch.seconds();
        end(started);
    }
    bench::report(total / static_cast<double>(count) * 1e6);
}
