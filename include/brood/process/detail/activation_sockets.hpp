// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/process/detail/socket_address.hpp>

#include <cstdlib>
#include <string>
#include <unistd.h>
#include <vector>

namespace brood::detail
{

/// Sockets that the system opened for this process before it was started, so that a port never
/// refuses while a service is replaced. Follows sd_listen_fds(3):
/// https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
class activation_sockets
{
public:
    /// Those of this process. The variables that tell of them are gone afterwards.
    static activation_sockets& ours()
    {
        static activation_sockets all;
        return all;
    }

    /// Takes them, when there are any: before a child could see the variables, or the descriptors.
    static void take()
    {
        if (are_for_us())
            ours();
    }

    /// A second descriptor for the one of this type at this address; empty when there is none.
    descriptor find(int type, const socket_address& wanted)
    {
        for (auto is_at : {&is_exactly_at, &is_also_at})
            for (auto& each : open_)
                if (type == each.type && is_at(each.address, wanted))
                {
                    each.is_claimed = true;
                    return each.socket.duplicate();
                }
        return {};
    }

    /// The addresses that nobody has asked for.
    std::vector<std::string> unclaimed() const
    {
        std::vector<std::string> result;
        for (auto& each : open_)
            if (!each.is_claimed)
                result.push_back(to_string(each.address));
        return result;
    }

private:
    struct handed
    {
        descriptor socket;
        int type;
        socket_address address;
        bool is_claimed = false;
    };

    activation_sockets()
    {
        constexpr int first = 3;
        auto count = std::getenv("LISTEN_FDS");
        if (count != nullptr && are_for_us())
            for (int number = first; number < first + std::atoi(count); ++number)
                add(number);
        for (auto variable : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"})
            ::unsetenv(variable);
    }

    static bool are_for_us()
    {
        auto whose = std::getenv("LISTEN_PID");
        return whose != nullptr && std::atoi(whose) == ::getpid();
    }

    // A pipe, or a file, may be among them, for others than us.
    void add(int number)
    {
        int type = 0;
        socklen_t size = sizeof type;
        if (::getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
            return;
        ::fcntl(number, F_SETFD, FD_CLOEXEC);
        ::fcntl(number, F_SETFL, ::fcntl(number, F_GETFL) | O_NONBLOCK);
        open_.push_back({descriptor(number), type, socket_address::of(number), false});
    }

    static bool is_exactly_at(const socket_address& have, const socket_address& wanted)
    {
        if (!wanted.path().empty() || !have.path().empty())
            return have.path() == wanted.path();
        return have.port() != 0 && to_string(have) == to_string(wanted);
    }

    // All addresses of IPv4 for all of IPv6, or the other way round.
    static bool is_also_at(const socket_address& have, const socket_address& wanted)
    {
        return have.port() != 0 && have.port() == wanted.port() && have.is_any() && wanted.is_any();
    }

    std::vector<handed> open_;
};

} // namespace brood::detail
