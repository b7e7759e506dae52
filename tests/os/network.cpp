// SPDX-License-Identifier: BSL-1.0
#include <brood/os/network.hpp>

#include <brood/os/detail/network.hpp>

#include <brood/base/descriptor.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <netpacket/packet.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace os = brood::os;
using brood::test::read_file;
using interfaces = std::vector<os::network_interface>;

namespace
{

const os::network_interface* find(const interfaces& all, const std::string& name,
                                  const std::string& address)
{
    auto found =
        std::find_if(all.begin(), all.end(),
                     [&](auto& each) { return each.name == name && each.address == address; });
    return found == all.end() ? nullptr : &*found;
}

bool is_up(const std::string& name)
{
    auto flags = std::stoul(read_file("/sys/class/net/" + name + "/flags"), nullptr, 16);
    // The kernel does not show IFF_RUNNING here, but whether there is a carrier.
    return (flags & IFF_UP) != 0 && read_file("/sys/class/net/" + name + "/carrier") == "1\n";
}

// A list as getifaddrs(3) makes it, in memory of its own.
struct list
{
    struct node
    {
        ifaddrs entry{};
        std::string name;
        sockaddr_storage address{};
        sockaddr_storage netmask{};
    };

    node& add(const std::string& name, unsigned flags)
    {
        auto& added = *nodes.emplace_back(std::make_unique<node>());
        added.name = name;
        added.entry.ifa_name = added.name.data();
        added.entry.ifa_flags = flags;
        if (nodes.size() > 1)
            nodes[nodes.size() - 2]->entry.ifa_next = &added.entry;
        return added;
    }

    static sockaddr* write(sockaddr_storage& place, const char* address)
    {
        sockaddr_in version4{};
        version4.sin_family = AF_INET;
        sockaddr_in6 version6{};
        version6.sin6_family = AF_INET6;
        version6.sin6_scope_id = 7;
        if (::inet_pton(AF_INET, address, &version4.sin_addr) == 1)
            std::memcpy(&place, &version4, sizeof version4);
        else if (::inet_pton(AF_INET6, address, &version6.sin6_addr) == 1)
            std::memcpy(&place, &version6, sizeof version6);
        return reinterpret_cast<sockaddr*>(&place);
    }

    void add_ip(const std::string& name, const char* address, const char* netmask,
                unsigned flags = IFF_UP | IFF_RUNNING)
    {
        auto& added = add(name, flags);
        added.entry.ifa_addr = write(added.address, address);
        if (netmask != nullptr)
            added.entry.ifa_netmask = write(added.netmask, netmask);
    }

    void add_card(const std::string& name, unsigned char length)
    {
        auto& added = add(name, IFF_UP | IFF_RUNNING);
        sockaddr_ll card{};
        card.sll_family = AF_PACKET;
        card.sll_halen = length;
        for (unsigned char index = 0; index < 6; ++index)
            card.sll_addr[index] = static_cast<unsigned char>(0xa0 + index);
        std::memcpy(&added.address, &card, sizeof card);
        added.entry.ifa_addr = reinterpret_cast<sockaddr*>(&added.address);
    }

    interfaces described() const
    {
        return os::detail::describe_all(nodes.empty() ? nullptr : &nodes.front()->entry);
    }

    std::vector<std::unique_ptr<node>> nodes;
};

} // namespace

TEST_CASE("network_interfaces() has the loopback, whole")
{
    auto all = os::network_interfaces();
    auto found = find(all, "lo", "127.0.0.1");

    REQUIRE(found != nullptr);
    CHECK(found->netmask == "255.0.0.0");
    CHECK(found->family == os::ip_family::v4);
    CHECK(found->mac == "00:00:00:00:00:00");
    CHECK(found->internal);
    CHECK(found->cidr == "127.0.0.1/8");
    CHECK(found->scope_id == 0);
}

TEST_CASE("network_interfaces() has every address of version 6 that the kernel lists")
{
    auto all = os::network_interfaces();
    std::istringstream kernel(read_file("/proc/net/if_inet6"));
    std::string digits, index, prefix, scope, flags, name;
    std::size_t up = 0;
    while (kernel >> digits >> index >> prefix >> scope >> flags >> name)
    {
        if (!is_up(name))
            continue;
        ++up;
        in6_addr binary{};
        for (std::size_t byte = 0; byte < 16; ++byte)
            binary.s6_addr[byte] =
                static_cast<std::uint8_t>(std::stoul(digits.substr(byte * 2, 2), nullptr, 16));
        std::array<char, INET6_ADDRSTRLEN> text{};
        ::inet_ntop(AF_INET6, &binary, text.data(), text.size());
        INFO(name << " " << text.data());

        auto found = find(all, name, text.data());
        REQUIRE(found != nullptr);
        CHECK(found->family == os::ip_family::v6);
        CHECK(found->cidr ==
              std::string(text.data()) + "/" + std::to_string(std::stoul(prefix, nullptr, 16)));
        CHECK(found->internal == (name == "lo"));
        constexpr auto link_local = "20";
        CHECK(found->scope_id == (scope == link_local ? ::if_nametoindex(name.c_str()) : 0));
    }
    CHECK(up == static_cast<std::size_t>(
                    std::count_if(all.begin(), all.end(),
                                  [](auto& each) { return each.family == os::ip_family::v6; })));
}

TEST_CASE("network_interfaces() gives the addresses of version 4 that the kernel gives")
{
    brood::descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    for (auto& each : os::network_interfaces())
    {
        if (each.family != os::ip_family::v4)
            continue;
        INFO(each.name << " " << each.address);
        ifreq request{};
        each.name.copy(request.ifr_name, IFNAMSIZ - 1);
        CHECK(::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0);
        CHECK((request.ifr_flags & IFF_UP) != 0);
        CHECK(each.internal == ((request.ifr_flags & IFF_LOOPBACK) != 0));
        in_addr binary{};
        CHECK(::inet_pton(AF_INET, each.address.c_str(), &binary) == 1);
        CHECK(::inet_pton(AF_INET, each.netmask.c_str(), &binary) == 1);
        CHECK(each.cidr == each.address + "/" + std::to_string(std::popcount(binary.s_addr)));
    }
}

TEST_CASE("network_interfaces() gives the addresses of the hardware")
{
    for (auto& each : os::network_interfaces())
    {
        auto kernel = read_file("/sys/class/net/" + os::detail::base_name(each.name) + "/address");
        if (kernel.size() == 18) // Ethernet
            CHECK(each.mac + "\n" == kernel);
        else
            CHECK(each.mac == "00:00:00:00:00:00");
    }
}

TEST_CASE("network_interfaces() is empty where the loopback is down")
{
    auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0)
    {
        constexpr int refused = 100;
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
            ::_exit(refused);
        ::_exit(static_cast<int>(os::network_interfaces().size()));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);

    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) == 100)
        WARN("this process may not leave its network: not tried");
    else
        CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("an interface counts only when it is up and running")
{
    list entries;
    entries.add_ip("eth0", "192.0.2.1", "255.255.255.0", IFF_UP);
    entries.add_ip("eth1", "192.0.2.2", "255.255.255.0", IFF_RUNNING);
    entries.add("eth2", IFF_UP | IFF_RUNNING); // without an address
    entries.add_ip("eth3", "192.0.2.4", "255.255.255.0");

    auto all = entries.described();

    REQUIRE(all.size() == 1);
    CHECK(all[0].name == "eth3");
    CHECK(list().described().empty());
}

TEST_CASE("an alias has the address of the card it stands on, a tunnel has none")
{
    list entries;
    entries.add_ip("eth0", "192.0.2.1", "255.255.255.0");
    entries.add_ip("eth0:1", "192.0.2.2", "255.255.255.0");
    entries.add_ip("tunl0", "192.0.2.3", "255.255.255.0");
    entries.add_card("eth0", 6);
    entries.add_card("tunl0", 4);

    auto all = entries.described();

    REQUIRE(all.size() == 3);
    CHECK(all[0].mac == "a0:a1:a2:a3:a4:a5");
    CHECK(all[1].mac == "a0:a1:a2:a3:a4:a5");
    CHECK(all[2].mac == "00:00:00:00:00:00");
}

TEST_CASE("a netmask that is no prefix has no cidr, and a missing one is empty")
{
    list entries;
    entries.add_ip("a", "10.0.0.1", "255.0.255.0");
    entries.add_ip("b", "10.0.0.1", nullptr);
    entries.add_ip("c", "10.0.0.1", "0.0.0.0");
    entries.add_ip("d", "fe80::1", "ffff:ffff:8000::");
    entries.add_ip("e", "fe80::1", "::1");
    entries.add_ip("f", "10.0.0.1", "255.255.255.255");

    auto all = entries.described();

    REQUIRE(all.size() == 6);
    CHECK(all[0].netmask == "255.0.255.0");
    CHECK(all[0].cidr.empty());
    CHECK(all[1].netmask.empty());
    CHECK(all[1].cidr.empty());
    CHECK(all[2].cidr == "10.0.0.1/0");
    CHECK(all[3].cidr == "fe80::1/33");
    CHECK(all[3].scope_id == 7);
    CHECK(all[4].cidr.empty());
    CHECK(all[5].cidr == "10.0.0.1/32");
}
