// SPDX-License-Identifier: BSL-1.0
#include "support/fixture.hpp"

#include <brood/process/exec.hpp>
#include <brood/process/spawn.hpp>

#include "support/loop_slurm.hpp"
#include "support/ssh_server.hpp"

#include <csignal>
#include <filesystem>

using namespace std::chrono_literals;
using namespace brood::test;

TEST_CASE("a port is free, and a program is found where daemons are", "[support]")
{
    CHECK(free_port() != 0);
    CHECK(installed("sh") != "");
    CHECK(installed("no-such-program") == "");
}

TEST_WITHIN(20s, "processes that know a text are ended, whoever has become their parent",
            "[support]")
{
    temporary_directory folder;
    brood::spawn_options options;
    options.stdout_ = brood::stdio::pipe();
    options.env = brood::environment().set("KNOWN", folder.path());
    auto shell = brood::spawn("/bin/sh", {"-c", "sleep 60 & echo $!"}, options);
    auto line = co_await shell.out().read_line();
    co_await shell.exit();
    auto pid = std::stoi(line.value());

    end_all_that_know(folder.path().string());

    CHECK(gone(pid));
}

TEST_CASE("an sshd leaves nothing behind", "[support]")
{
    auto server = start_or_skip<ssh_server>();
    if (!server)
        return;
    std::filesystem::path folder = server->folder().path();
    auto pid = server->pid();
    CHECK(alive(pid));
    server.reset();
    CHECK(gone(pid));
    CHECK_FALSE(std::filesystem::exists(folder));
}

TEST_CASE("a Slurm leaves nothing behind", "[support]")
{
    auto slurm = start_or_skip<loop_slurm>();
    if (!slurm)
        return;
    std::filesystem::path folder = slurm->folder().path();
    CHECK(slurm->step_daemons().empty());
    slurm.reset();
    CHECK(children().empty());
    CHECK_FALSE(std::filesystem::exists(folder));
}
