// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/ssh_command.hpp>

#include <brood/base/detail/asio_net.hpp>
#include <brood/remote/launched_exit.hpp>
#include <brood/remote/ssh_failure.hpp>

#include "support/catch.hpp"
#include "support/launched.hpp"
#include "support/ssh_server.hpp"

#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::arguments;
using brood::exit_exactness;
using brood::launch_command;
using brood::remote_host;
using brood::reverse_forward;
using brood::ssh_command;
using brood::ssh_control;
using brood::ssh_master;
using brood::ssh_options;
using brood::task;
using brood::worker_program;

namespace
{

/// A worker that prints its pid, then ends as it does by this line of sh.
worker_program worker(const std::string& line)
{
    return {"/bin/sh", {"-c", "echo $$; " + line}};
}

const remote_host w1{"w1"};

} // namespace

TEST_CASE("the words of ssh say who, and that nobody can be asked", "[remote]")
{
    ssh_options options;
    options.extra = {"-o", "ProxyJump=gate"};
    options.config_file = "/etc/mine";
    reverse_forward way;
    way.local_port = 7000;
    auto command =
        ssh_command(options, {"n1", "me", 2222, 0}, worker_program{"/opt/fib", {"3"}}, "", way);

    CHECK(to_string(command) ==
          "ssh -o 'ProxyJump=gate' -F /etc/mine -T -o 'BatchMode=yes' -o 'ConnectTimeout=15' "
          "-o 'ServerAliveInterval=5' -o 'ServerAliveCountMax=3' -o 'EscapeChar=none' "
          "-o 'ForwardX11=no' -o 'ControlMaster=no' -o 'ControlPersist=no' -o 'ControlPath=none' "
          "-o 'ExitOnForwardFailure=yes' -R 127.0.0.1:0:127.0.0.1:7000 -p 2222 -- me@n1 "
          "'exec /bin/sh -c '\\''/opt/fib 3; exit $?'\\'''");
}

TEST_CASE("a control socket that ssh could not use is refused", "[remote]")
{
    auto with = [](const std::string& path)
    {
        return ssh_master({}, w1, path);
    };

    CHECK_NOTHROW(with("/tmp/control"));
    CHECK_THROWS_AS(with("/tmp/a b"), std::invalid_argument);
    CHECK_THROWS_AS(with("/tmp/%h"), std::invalid_argument);
    CHECK_THROWS_AS(with("/tmp/" + std::string(90, 'x')), std::invalid_argument);
}

TEST_WITH_SSH(20s, "standard streams through ssh are byte for byte", "[remote][ssh]")
{
    auto bytes = every_byte() + "\r\n\r\n~.\n" + every_byte();
    auto command = ssh_command(server.options(), w1, worker_program{"cat"});
    auto ran = co_await run(command, bytes);

    CHECK(ran.success());
    CHECK(ran.out == bytes);
    CHECK(ran.err == "");
}

TEST_WITH_SSH(20s, "arguments reach a program through ssh byte for byte", "[remote][ssh]")
{
    std::vector<std::string> words{"%s\\0", "it's", "", "$HOME `id`", "a\nb", "\xc3\xbc\xff"};
    std::string wanted;
    for (std::size_t at = 1; at < words.size(); ++at)
        wanted += words[at] + '\0';
    worker_program program{"printf", words};
    program.variables = {{"ONE", "1"}};
    auto command = ssh_command(server.options(), w1, program);
    auto ran = co_await run(command);

    CHECK(ran.out == wanted);
}

TEST_WITH_SSH(30s, "codes and signals of a worker come through ssh", "[remote][ssh]")
{
    struct line
    {
        std::string script;
        int code, signal;
        exit_exactness exactness;
    };
    std::vector<line> table{
        {"exit 0", 0, 0, exit_exactness::exact},
        {"exit 1", 1, 0, exit_exactness::exact},
        {"exit 42", 42, 0, exit_exactness::exact},
        {"exit 127", 127, 0, exit_exactness::exact},
        {"exit 255", 0, 0, exit_exactness::none},
        {"kill -TERM $$", 0, SIGTERM, exit_exactness::shell128},
        {"kill -KILL $$", 0, SIGKILL, exit_exactness::shell128},
        {"kill -SEGV $$", 0, SIGSEGV, exit_exactness::shell128},
        {"exit 143", 0, SIGTERM, exit_exactness::shell128},
    };
    // A shared connection is quicker; one of its own now and then.
    auto path = server.folder() / "table";
    auto master = start(ssh_master(server.options(), w1, path));
    auto is_there = [path]
    {
        return std::filesystem::exists(path);
    };
    auto listens = co_await eventually(10s, is_there);
    REQUIRE(listens);
    for (auto& each : table)
    {
        auto alone = each.code == 42 || each.signal == SIGKILL;
        auto command = ssh_command(server.options(), w1, worker(each.script), alone ? "" : path);
        auto ran = co_await run(command);
        auto end = exit_by_ssh(ran.status, ran.err);
        CAPTURE(each.script, ran.err, end.why);

        CHECK(end.exactness == each.exactness);
        CHECK(end.status.code == each.code);
        CHECK(end.status.signal == each.signal);
    }
    co_await run(ssh_control(server.options(), w1, path, "exit"));
    co_await master.exit();
}

TEST_WITH_SSH(20s, "a worker reads the end of its stdin when its ssh is killed", "[remote][ssh]")
{
    auto command = ssh_command(server.options(), w1, worker("exec cat"));
    auto ssh = start(command);
    auto line = co_await ssh.out().read_line();
    REQUIRE(line);
    auto pid = std::stoi(*line);
    CHECK(alive(pid));
    ssh.kill(SIGKILL);
    auto status = co_await ssh.exit();
    auto has_gone = [pid]
    {
        return gone(pid);
    };
    auto ended = co_await eventually(10s, has_gone);

    CHECK(ended);
    auto end = exit_by_ssh(status, "");
    CHECK(end.exactness == exit_exactness::none);
    CHECK(end.why == "ssh was ended by SIGKILL");
}

TEST_WITH_SSH(20s, "ssh and its worker end when the session of sshd is killed", "[remote][ssh]")
{
    auto command = ssh_command(server.options(), w1, worker("exec cat"));
    auto ssh = start(command);
    auto line = co_await ssh.out().read_line();
    REQUIRE(line);
    auto pid = std::stoi(*line);
    for (auto session : server.sessions())
        ::kill(session, SIGKILL);
    auto status = co_await ssh.exit();
    auto err = co_await ssh.err().read_all();
    auto has_gone = [pid]
    {
        return gone(pid);
    };
    auto ended = co_await eventually(10s, has_gone);

    CHECK(ended);
    auto end = exit_by_ssh(status, err);
    CAPTURE(err);
    CHECK(end.exactness == exit_exactness::none);
    CHECK(end.why.find("the connection was lost") == 0);
}

TEST_WITH_SSH(30s, "workers share a connection, and none takes another along", "[remote][ssh]")
{
    auto path = server.folder() / "control";
    auto master = start(ssh_master(server.options(), w1, path));
    auto is_there = [path]
    {
        return std::filesystem::exists(path);
    };
    auto listens = co_await eventually(10s, is_there);
    REQUIRE(listens);
    auto before = server.sessions().size();
    auto command = ssh_command(server.options(), w1, worker("exec cat"), path);
    auto first = start(command);
    auto second = start(command);
    co_await first.out().read_line();
    co_await second.out().read_line();
    CHECK(server.sessions().size() == before);

    first.kill(SIGKILL);
    co_await first.exit();
    co_await second.in().write("still here\n");
    auto line = co_await second.out().read_line();
    CHECK(line == "still here");
    second.in().close();
    auto status = co_await second.exit();
    CHECK(status.success());

    auto goodbye = co_await run(ssh_control(server.options(), w1, path, "exit"));
    CHECK(goodbye.success());
    co_await master.exit();
    // Without a master ssh connects by itself.
    auto alone = co_await run(command);
    CHECK(alone.success());
}

TEST_WITH_SSH(20s, "a port there leads back here", "[remote][ssh]")
{
    auto executor = co_await asio::this_coro::executor;
    asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor here(executor, any);
    reverse_forward way;
    way.local_port = here.local_endpoint().port();
    auto command = ssh_command(server.options(), w1, worker("exec cat"), "", way);
    auto ssh = start(command);
    auto told = co_await ssh.err().read_line();
    REQUIRE(told);
    auto port = brood::allocated_port(*told);
    REQUIRE(port);
    asio::ip::tcp::socket worker(executor);
    asio::ip::tcp::endpoint there(asio::ip::address_v4::loopback(), *port);
    co_await worker.async_connect(there, asio::use_awaitable);
    auto accepted = co_await here.async_accept(asio::use_awaitable);

    CHECK(accepted.is_open());
    ssh.in().close();
    worker.close();
    accepted.close();
    co_await ssh.exit();
}

TEST_WITH_SSH(20s, "a master opens a way back, and says the port", "[remote][ssh]")
{
    auto path = server.folder() / "forward";
    auto master = start(ssh_master(server.options(), w1, path));
    auto is_there = [path]
    {
        return std::filesystem::exists(path);
    };
    auto listens = co_await eventually(10s, is_there);
    REQUIRE(listens);
    reverse_forward way;
    way.local_port = 9;
    auto ran = co_await run(ssh_control(server.options(), w1, path, "forward", way));

    CAPTURE(ran.out, ran.err);
    CHECK(brood::allocated_port(ran.out));
    co_await run(ssh_control(server.options(), w1, path, "exit"));
    co_await master.exit();
}

TEST_WITH_SSH(30s, "a host that cannot be reached is told with the step and the cure",
              "[remote][ssh]")
{
    struct line
    {
        std::string host, says;
    };
    std::vector<line> table{
        {"nowhere", "host nowhere: its name does not resolve: check it"},
        {"closed", "host closed: nobody listens at the port of its sshd"},
        {"stranger", "host stranger: it takes no key of ours and would ask for a password"},
        {"untrusted", "host untrusted: its key is not known"},
    };
    for (auto& each : table)
    {
        auto command = ssh_command(server.options(), remote_host{each.host}, worker("true"));
        auto ran = co_await run(command);
        CAPTURE(ran.err);

        CHECK(ran.status.code == 255);
        CHECK(ssh_failure(remote_host{each.host}, ran.status.code, ran.err).find(each.says) == 0);
        CHECK(exit_by_ssh(ran.status, ran.err).exactness == exit_exactness::none);
    }
    auto command = ssh_command(server.options(), w1, worker_program{"/no/such/program"});
    auto ran = co_await run(command);
    CHECK(ssh_failure(w1, ran.status.code, ran.err).find("host w1: the program is not there") == 0);
}
