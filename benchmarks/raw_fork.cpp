// SPDX-License-Identifier: BSL-1.0
// The limit of fork: posix_spawn of this program, whose copy writes one byte into a socket pair,
// and waits for the end.
//
// usage: raw_fork COUNT | raw_fork idle
//        raw_fork together COUNT     milliseconds until so many, started at once, have said it
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

child begin()
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
    return result;
}

void await_first_byte(const child& of)
{
    char first = 0;
    if (::read(of.socket, &first, 1) != 1)
        std::abort();
}

/// A child that has said its first byte.
child start()
{
    auto begun = begin();
    await_first_byte(begun);
    return begun;
}

void end(const child& of)
{
    ::close(of.socket);
    ::waitpid(of.pid, nullptr, 0);
}

/// The milliseconds until so many have said it.
double start_together(long count)
{
    bench::stopwatch watch;
    std::vector<child> all;
    for (long each = 0; each < count; ++each)
        all.push_back(begin());
    for (auto& each : all)
        await_first_byte(each);
    auto time = watch.seconds() * 1e3;
    for (auto& each : all)
        end(each);
    return time;
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
    if (role == "together")
    {
        bench::report(start_together(bench::argument(argc, argv, 2, 64)));
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
