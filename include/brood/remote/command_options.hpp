// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/launcher.hpp>
#include <brood/remote/launch_command.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace brood
{

/// How a command starts workers elsewhere.
///
/// All that is asked of the command is that it runs a program there with its stdin and stdout, and
/// ends when the program has, as ssh does. Its stdin says where to go and proves it; then the
/// worker connects to this process by itself.
struct command_options
{
    /// For people, in every message: "ssh n1".
    std::string name = {};

    /// The command that runs this program there. Called for each start.
    std::function<launch_command(const worker_program&)> command = {};

    /// How many workers it has places for; 0 for as many as this machine has processors.
    std::size_t workers = 0;

    /// The path of the program there; empty for the same as here.
    std::string program = {};

    /// Addresses of this machine that workers connect to, each with a port that the kernel chooses
    /// and that is open only while a worker is expected. One outside a private network is refused
    /// until `encrypt` is said.
    std::vector<std::string> listen_on = {"127.0.0.1"};

    /// Whether what crosses between workers and this process is encrypted, by TLS 1.3 with a
    /// certificate that is made for this launcher and that no other is taken for. Without a word it
    /// is not, and addresses outside private networks are refused; false is for those as well, when
    /// something else protects what crosses.
    std::optional<bool> encrypt = {};

    /// Where workers are told to go, when it is not there: gets where this process listens, as
    /// "tcp:127.0.0.1:40123", and gives what leads there from the other machine, in the order in
    /// which it is tried.
    std::function<std::vector<std::string>(const std::vector<std::string>&)> reached_by = {};

    /// What the end of the command says about the end of the program.
    launcher_capabilities::status exit_status = launcher_capabilities::status::shell128;

    /// A worker that has not come by then never will.
    std::chrono::milliseconds join_within{30'000};

    /// How long a worker goes on that has not heard of this process, or whose command has ended.
    std::chrono::milliseconds orphan_grace{10'000};

    /// Throws std::invalid_argument, with the reason, for what cannot be meant.
    void check() const
    {
        auto refuse = [](const char* why)
        {
            throw std::invalid_argument(std::string("brood: command options: ") + why);
        };
        if (!command)
            refuse("a launcher needs a command");
        if (listen_on.empty())
            refuse("workers need an address of this machine to connect to");
        if (join_within.count() <= 0 || orphan_grace.count() < 0)
            refuse("join_within must be above zero, and orphan_grace not below");
    }
};

} // namespace brood
