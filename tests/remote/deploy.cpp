// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/deploy.hpp>

#include <brood/process/exec.hpp>
#include <brood/remote/ssh_command.hpp>

#include "support/catch.hpp"
#include "support/ssh_server.hpp"

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::deploy;
using brood::deploy_error;
using brood::deploy_options;
using brood::deployment;
using brood::program_file;
using brood::remote_host;
using brood::ssh_options;
using brood::task;

namespace
{

const remote_host w1{"w1"}, closed{"closed"}, bent{"bent"};

const std::string script = "#!/bin/sh\necho ran\n";

/// A host that is this machine with something wrong: an ssh that runs what it is given here, and a
/// folder that comes first in its PATH.
struct bent_host
{
    temporary_directory folder;
    program_file program = program_file::read(folder.write("it's a program", script));
    ssh_options options;
    deploy_options how;

    explicit bent_host(const std::string& before = "")
    {
        std::filesystem::create_directory(folder / "bin");
        options.program = folder.write("ssh", "#!/bin/sh\nfor last; do :; done\n"
                                              "PATH=" +
                                                  folder / "bin" + ":$PATH\n" + before +
                                                  "exec sh -c \"$last\"\n");
        how.folder = folder / "to";
    }

    std::string copy() const { return how.folder + '/' + program.hash + "/it_s_a_program"; }
};

/// Why it could not be deployed.
task<std::string> refusal(ssh_options options, remote_host host, program_file program,
                          deploy_options how)
{
    std::string why = "deployed";
    try
    {
        co_await deploy(options, host, program, how);
    }
    catch (const deploy_error& error)
    {
        why = error.what();
    }
    co_return why;
}

task<std::string> refusal(const bent_host& of)
{
    return refusal(of.options, bent, of.program, of.how);
}

/// Files below a folder, those of a copy that was not finished too.
std::ptrdiff_t entries(const std::string& folder)
{
    if (!std::filesystem::exists(folder))
        return 0;
    auto all = std::filesystem::recursive_directory_iterator(folder);
    return std::distance(begin(all), end(all));
}

} // namespace

TEST_WITH_SSH(30s, "a program is copied once to a host, and runs there", "[remote][ssh]")
{
    auto program = program_file::read(server.folder().write("a program", script));
    auto first = co_await deploy(server.options(), w1, program);
    auto second = co_await deploy(server.options(), w1, program);

    CHECK(first.copied);
    CHECK_FALSE(second.copied);
    CHECK(first.path == server.folder() / "cache/brood/" + program.hash + "/a_program");
    CHECK(second.path == first.path);
    CHECK(first.cpus > 0);
    CHECK(read_file(first.path) == script);
    auto command = brood::ssh_command(server.options(), w1, brood::worker_program{first.path});
    auto ran = co_await brood::exec_file(command.program, command.args);
    CHECK(ran.out == "ran\n");
}

TEST_WITH_SSH(20s, "a host that cannot be reached is told by the step connect", "[remote][ssh]")
{
    auto program = program_file::read(server.folder().write("other", script));
    auto why = co_await refusal(server.options(), closed, program, deploy_options());

    CHECK(why.find("deploy to closed: connect: nobody listens at the port of its sshd") == 0);
}

TEST_WITHIN(20s, "what a login prints does not matter", "[remote]")
{
    bent_host host("echo 'brood-path: /nowhere'; echo Welcome; echo noise >&2\n");
    auto done = co_await deploy(host.options, bent, host.program, host.how);

    CHECK(done.copied);
    CHECK(done.path == host.copy());
    CHECK(read_file(done.path) == script);
    CHECK(entries(host.how.folder) == 2);
}

TEST_WITHIN(20s, "another architecture is refused before anything is copied", "[remote]")
{
    bent_host host;
    host.folder.write("bin/uname", "#!/bin/sh\necho Linux pdp11\n");
    auto why = co_await refusal(host);

    CHECK(why.find("deploy to bent: architecture: it is Linux pdp11, the program is for Linux") ==
          0);
    CHECK(entries(host.how.folder) == 0);
}

TEST_WITHIN(20s, "another build at the path, or none, is refused when nothing is copied",
            "[remote]")
{
    bent_host host;
    host.how.copy = false;
    auto same = co_await refusal(host);
    CHECK(same == "deployed");

    host.folder.write("it's a program", "#!/bin/sh\necho another\n");
    auto other = co_await refusal(host);
    CHECK(other.find("deploy to bent: build: ") == 0);
    CHECK(other.find("is another build than the one here") != std::string::npos);

    std::filesystem::remove(host.program.path);
    auto none = co_await refusal(host);
    CHECK(none.find("is not there: install it, or let it be copied") != std::string::npos);
}

TEST_WITHIN(20s, "a full disk is told, and nothing is left of the copy", "[remote]")
{
    bent_host host;
    host.folder.write("bin/cat", "#!/bin/sh\nhead -c 5\n"
                                 "echo 'cat: write error: No space left on device' >&2; exit 1\n");
    auto why = co_await refusal(host);

    CHECK(why.find("deploy to bent: copy: the disk there is full: make room for 19 bytes at ") ==
          0);
    CHECK(entries(host.how.folder) == 0);
}

TEST_WITHIN(20s, "a disk that really is full is told as such, and left as it was", "[remote]")
{
    if (std::system("unshare -rm true 2>/dev/null") != 0)
    {
        skip("a file system of its own, which this user may not mount");
        co_return;
    }
    // It goes with the shell: what is left there, that writes down.
    bent_host host("exec unshare -rm sh -c 'mount -t tmpfs -o size=64k none \"$1\" || exit 3\n"
                   "sh -c \"$0\"; code=$?; find \"$1\" -mindepth 1 >\"$1.left\"; exit $code' "
                   "\"$last\" \"${0%/*}/to\"\n");
    std::filesystem::create_directory(host.how.folder);
    host.program =
        program_file::read(host.folder.write("large", script + std::string(200'000, '#')));
    auto why = co_await refusal(host);

    CHECK(why.find("deploy to bent: copy: the disk there is full: make room for 200019 bytes at " +
                   host.how.folder) == 0);
    CHECK(std::filesystem::exists(host.how.folder + ".left"));
    CHECK(read_file(host.how.folder + ".left") == "");
}

TEST_WITHIN(20s, "half a program is never found", "[remote]")
{
    bent_host host;
    host.folder.write("bin/cat", "#!/bin/sh\nexec head -c 5\n");
    auto why = co_await refusal(host);

    CHECK(why.find("deploy to bent: copy: other bytes came than were sent") == 0);
    CHECK(entries(host.how.folder) == 0);
}

TEST_WITHIN(20s, "a host that takes too long is told", "[remote]")
{
    bent_host host("exec sleep 60\n");
    host.how.limit = 1s;
    auto why = co_await refusal(host);

    CHECK(why == "deploy to bent: connect: it took longer than 1 s");
}

TEST_WITHIN(20s, "a folder that is not absolute is refused", "[remote]")
{
    bent_host host;
    host.how.folder = "here";
    bool refused = false;
    try
    {
        co_await deploy(host.options, bent, host.program, host.how);
    }
    catch (const std::invalid_argument&)
    {
        refused = true;
    }
    CHECK(refused);
}
