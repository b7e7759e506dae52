// SPDX-License-Identifier: BSL-1.0
#include <brood/process/internal/listening_socket.hpp>

#include <brood/process/listener.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/patience.hpp"
#include "support/temporary_directory.hpp"

#include <asio/ip/udp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include <fcntl.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using asio::ip::tcp;
using asio::ip::udp;
using brood::detail::listen_request;
using brood::detail::listening_socket;
using brood::detail::socket_address;
using brood::detail::to_listen_request;
using local = asio::local::stream_protocol;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("an address is told as people write it", "[listening_socket]")
{
    auto text = [](const auto& endpoint)
    {
        return to_string(socket_address(to_listen_request(endpoint, {}).address));
    };

    CHECK(text(tcp::endpoint(asio::ip::make_address("127.0.0.1"), 8080)) == "127.0.0.1:8080");
    CHECK(text(tcp::endpoint(asio::ip::make_address("::1"), 1)) == "[::1]:1");
    CHECK(text(local::endpoint("/run/server")) == "/run/server");
}

TEST_CASE("port 0 becomes the port that the system chose", "[listening_socket]")
{
    listening_socket socket(
        to_listen_request(tcp::endpoint(asio::ip::address_v4::loopback(), 0), {}));

    CHECK_THAT(to_string(socket.address()), ContainsSubstring("127.0.0.1:"));
    CHECK(to_string(socket.address()) != "127.0.0.1:0");
}

TEST_CASE("a port that is taken is refused, and nothing is left", "[listening_socket]")
{
    listening_socket first(
        to_listen_request(tcp::endpoint(asio::ip::address_v4::loopback(), 0), {}));
    auto again = to_listen_request(tcp::endpoint(asio::ip::address_v4::loopback(), 0), {});
    again.address = first.address().bytes();
    auto before = brood::test::open_descriptors();

    CHECK_THROWS_WITH(listening_socket(again),
                      ContainsSubstring("listen on " + to_string(first.address())));
    CHECK(brood::test::open_descriptors() == before);
}

TEST_CASE("a port that ignores newcomers keeps who is connected, and then refuses others",
          "[listening_socket][T10]")
{
    listening_socket socket(
        to_listen_request(tcp::endpoint(asio::ip::address_v4::loopback(), 0), {}));
    tcp::endpoint at;
    auto& address = socket.address();
    at.resize(address.size());
    std::memcpy(at.data(), address.data(), address.size());
    asio::io_context loop;
    tcp::socket early(loop), late(loop);
    early.connect(at);

    socket.ignore_newcomers();
    std::optional<std::error_code> answer;
    late.async_connect(at, [&](std::error_code said) { answer = said; });
    loop.run_for(50ms);
    CHECK_FALSE(answer);
    tcp::socket accepted(loop, at.protocol(), ::accept(socket.socket().get(), nullptr, nullptr));
    asio::write(early, asio::buffer("late", 4));
    char word[4] = {};
    asio::read(accepted, asio::buffer(word));
    CHECK(std::string(word, 4) == "late");

    socket.close();
    loop.restart();
    loop.run_for(brood::test::patient(10s));
    CHECK(answer == asio::error::connection_refused);
}

TEST_CASE("a local socket that closes leaves the file of another server alone",
          "[listening_socket]")
{
    brood::test::temporary_directory folder;
    auto path = (folder.path() / "socket").string();
    listening_socket first(to_listen_request(local::endpoint(path), {}));
    std::filesystem::remove(path);
    listening_socket second(to_listen_request(local::endpoint(path), {}));

    first.close();
    CHECK(std::filesystem::exists(path));

    second.close();
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("datagrams are received at a bound socket that does not listen", "[listening_socket]")
{
    listening_socket socket(
        to_listen_request(udp::endpoint(asio::ip::address_v4::loopback(), 0), {}));
    int listens = -1;
    socklen_t size = sizeof listens;
    ::getsockopt(socket.socket().get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);

    CHECK(listens == 0);
    CHECK(to_string(socket.address()) != "127.0.0.1:0");
}

TEST_CASE("no program that is started gets a listening socket by chance", "[listening_socket]")
{
    brood::test::temporary_directory folder;
    auto loopback = asio::ip::address_v4::loopback();
    auto datagrams = to_listen_request(udp::endpoint(loopback, 0), {});
    auto shared = to_listen_request(tcp::endpoint(loopback, 0), {.reuse_port = true});
    for (auto& wanted : {to_listen_request(tcp::endpoint(loopback, 0), {}), datagrams, shared,
                         to_listen_request(local::endpoint(folder / "socket"), {})})
    {
        INFO("family " << wanted.family << ", type " << wanted.type);
        listening_socket socket(wanted);
        auto copy = socket.socket().duplicate();

        CHECK((::fcntl(socket.socket().get(), F_GETFD) & FD_CLOEXEC) != 0);
        CHECK((::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC) != 0);
    }
}

TEST_CASE("the file of a local socket goes with it, and one without a server is replaced",
          "[listening_socket]")
{
    brood::test::temporary_directory folder;
    auto path = (folder.path() / "socket").string();
    auto wanted = to_listen_request(local::endpoint(path), {});
    {
        listening_socket socket(wanted);
        CHECK(std::filesystem::exists(path));
        CHECK_THROWS_AS(listening_socket(wanted), std::system_error);
        CHECK(std::filesystem::exists(path));
    }
    CHECK_FALSE(std::filesystem::exists(path));

    {
        brood::descriptor killed(::socket(AF_UNIX, SOCK_STREAM, 0));
        socket_address at(wanted.address);
        REQUIRE(::bind(killed.get(), at.data(), at.size()) == 0);
    }
    REQUIRE(std::filesystem::exists(path));
    CHECK_NOTHROW(listening_socket(wanted));
}

TEST_CASE("a file that is no socket is refused, and stays", "[listening_socket]")
{
    brood::test::temporary_directory folder;
    auto path = (folder.path() / "data").string();
    std::ofstream(path) << "precious";

    CHECK_THROWS_AS(listening_socket(to_listen_request(local::endpoint(path), {})),
                    std::system_error);
    CHECK(std::filesystem::is_regular_file(path));
}

TEST_CASE("a local socket whose server accepts nobody is refused at once", "[listening_socket]")
{
    brood::test::temporary_directory folder;
    auto wanted = to_listen_request(local::endpoint((folder.path() / "socket").string()), {});
    wanted.backlog = 0;
    listening_socket busy(wanted);
    auto& at = busy.address();
    std::vector<brood::descriptor> clients;
    do
        clients.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    while (::connect(clients.back().get(), at.data(), at.size()) == 0);

    ::alarm(20); // ends a test that blocks
    CHECK_THROWS_AS(listening_socket(wanted), std::system_error);
    ::alarm(0);
}

TEST_CASE("an address that is none is refused", "[listening_socket]")
{
    listen_request nonsense;
    nonsense.family = AF_INET;
    nonsense.type = SOCK_STREAM;
    nonsense.address = std::string(1000, 'x');

    CHECK_THROWS_AS(listening_socket(nonsense), std::system_error);
    nonsense.address.clear();
    CHECK_THROWS_AS(listening_socket(nonsense), std::system_error);
    nonsense.family = 12345;
    CHECK_THROWS_AS(listening_socket(nonsense), std::system_error);
}
