// SPDX-License-Identifier: BSL-1.0
#include "support/ssh_server.hpp"

#include <brood/process/exec.hpp>
#include <brood/process/spawn.hpp>

#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <unistd.h>
#include <utility>

namespace brood::test
{

using namespace std::chrono_literals;

std::string ssh_server::missing()
{
    for (auto program : {"sshd", "ssh", "ssh-keygen"})
        if (installed(program).empty())
            return std::string(program) + " is not installed (Debian: openssh-server, "
                                          "openssh-client)";
    return "";
}

ssh_server::ssh_server()
{
    // As root sshd locks up a part of itself in this directory.
    if (::geteuid() == 0)
        std::filesystem::create_directories("/run/sshd");
    make_keys();
    // Somebody else may take the port between the question and the start.
    for (int attempt = 0; attempt < 3; ++attempt)
    {
        write_configuration(free_port());
        if (start())
            return;
    }
    throw std::runtime_error("sshd did not start: " + read_file(folder_ / "sshd.log"));
}

ssh_server::~ssh_server()
{
    server_.kill_tree(SIGKILL);
    asio::co_spawn(loop_, server_.exit(), asio::detached);
    loop_.restart();
    loop_.run_for(5s);
    end_all_that_know(folder_.path().string());
}

ssh_options ssh_server::options() const
{
    ssh_options made;
    made.config_file = folder_ / "client";
    return made;
}

std::vector<pid_t> ssh_server::sessions() const
{
    std::vector<pid_t> found;
    for (auto& line : children(server_.pid()))
        found.push_back(line.pid);
    return found;
}

void ssh_server::make_keys()
{
    for (auto name : {"host", "user", "strange"})
    {
        auto made =
            exec_file_sync("ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-f", folder_ / name});
        if (!made.success())
            throw std::runtime_error(to_string(made));
    }
    folder_.write("authorized", read_file(folder_ / "user.pub"));
}

void ssh_server::write_configuration(unsigned short port)
{
    auto here = folder_.path().string() + '/';
    auto number = std::to_string(port);
    folder_.write("sshd_config", "Port " + number +
                                     "\nListenAddress 127.0.0.1\n"
                                     "HostKey " +
                                     here +
                                     "host\n"
                                     "AuthorizedKeysFile " +
                                     here +
                                     "authorized\n"
                                     "PidFile " +
                                     here +
                                     "sshd.pid\n"
                                     "StrictModes no\n"
                                     "UsePAM no\n"
                                     "PasswordAuthentication no\n"
                                     "KbdInteractiveAuthentication no\n"
                                     "MaxStartups 5:100:5\n"
                                     "ClientAliveInterval 2\n"
                                     "ClientAliveCountMax 3\n"
                                     "AcceptEnv BROOD_TEST_HOST\n"
                                     // What the shell of whoever runs this does at a login is
                                     // slow perhaps, and may stay locked when it is killed.
                                     "SetEnv HOME=" +
                                     here + " BROOD_TEST_FOLDER=" + here +
                                     " XDG_CACHE_HOME=" + here + "cache\n");
    folder_.write("known", "[127.0.0.1]:" + number + ' ' + read_file(folder_ / "host.pub"));
    folder_.write("changed", "[127.0.0.1]:" + number + ' ' + read_file(folder_ / "strange.pub"));
    auto reached = "  HostName 127.0.0.1\n  Port " + number + '\n';
    std::string client;
    for (std::string name : {"w1", "w2", "w3", "w4"})
        client += "Host " + name + "\n  SetEnv BROOD_TEST_HOST=" + name + '\n' + reached;
    client += "Host stranger\n  IdentityFile " + here + "strange\n" + reached;
    client += "Host changed\n  UserKnownHostsFile " + here + "changed\n" + reached;
    client += "Host untrusted\n  UserKnownHostsFile /dev/null\n" + reached;
    client += "Host closed\n  HostName 127.0.0.1\n  Port " + std::to_string(free_port()) + '\n';
    client += "Host nowhere\n  HostName no-such-host.invalid\n";
    client += "Host w1 w2 w3 w4 untrusted changed\n  IdentityFile " + here + "user\n";
    client += "Host *\n  IdentitiesOnly yes\n  IdentityAgent none\n  GlobalKnownHostsFile none\n"
              "  StrictHostKeyChecking yes\n  UserKnownHostsFile " +
              here + "known\n";
    folder_.write("client", client);
}

bool ssh_server::start()
{
    spawn_options options;
    options.stdin_ = stdio::ignore();
    options.stdout_ = stdio::write(folder_ / "sshd.log");
    options.stderr_ = stdio::same_as_stdout();
    options.die_with_parent = true;
    options.on_drop = on_drop::kill;
    // By its whole path: it starts itself once more for each connection.
    server_ = spawn(loop_.get_executor(), installed("sshd"),
                    {"-D", "-e", "-f", folder_ / "sshd_config"}, options);
    return wait_until(20s,
                      [this]
                      {
                          loop_.restart();
                          loop_.poll();
                          return server_.status() || std::filesystem::exists(folder_ / "sshd.pid");
                      }) &&
           !server_.status();
}

} // namespace brood::test
