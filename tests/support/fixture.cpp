// SPDX-License-Identifier: BSL-1.0
#include "support/fixture.hpp"
#include "support/temporary_directory.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

namespace brood::test
{
namespace
{

std::vector<std::function<void()>>& endings()
{
    static std::vector<std::function<void()>> left;
    return left;
}

} // namespace

void at_end(std::function<void()> what)
{
    endings().push_back(std::move(what));
}

void run_at_end()
{
    while (!endings().empty())
    {
        auto last = std::move(endings().back());
        endings().pop_back();
        last();
    }
}

std::string installed(const std::string& program)
{
    const char* path = std::getenv("PATH");
    std::istringstream folders(std::string(path == nullptr ? "" : path) +
                               ":/usr/local/sbin:/usr/sbin:/sbin");
    for (std::string folder; std::getline(folders, folder, ':');)
        if (auto file = folder + '/' + program; ::access(file.c_str(), X_OK) == 0)
            return file;
    return "";
}

std::vector<pid_t> processes_that_know(const std::string& text)
{
    std::vector<pid_t> found;
    std::error_code gone;
    for (auto& entry : std::filesystem::directory_iterator("/proc", gone))
    {
        auto pid = std::atoi(entry.path().filename().c_str());
        if (pid > 0 && pid != ::getpid() &&
            read_file(entry.path() / "environ").find(text) != std::string::npos)
            found.push_back(pid);
    }
    return found;
}

void end_all_that_know(const std::string& text)
{
    wait_until(std::chrono::seconds(10),
               [&]
               {
                   auto left = processes_that_know(text);
                   for (auto pid : left)
                       ::kill(pid, SIGKILL);
                   return left.empty();
               });
}

unsigned short free_port()
{
    auto socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                 ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(socket);
    if (!bound)
        throw std::runtime_error("no port is free");
    return ntohs(address.sin_port);
}

} // namespace brood::test
