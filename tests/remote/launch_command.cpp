// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/launch_command.hpp>

#include <brood/process/exec.hpp>

#include "support/catch.hpp"
#include "support/fixture.hpp"
#include "support/temporary_directory.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

using brood::arguments;
using brood::exec_file_sync;
using brood::launch_command;
using brood::remote_script;
using brood::shell_quoted;
using brood::worker_program;
using brood::test::installed;
using brood::test::temporary_directory;

namespace
{

/// What no shell should touch.
const std::vector<std::string> difficult = {"",
                                            " ",
                                            "a b",
                                            "it's",
                                            "\"quoted\"",
                                            "$HOME",
                                            "`id`",
                                            "a\\b",
                                            "\\",
                                            "line\nend",
                                            "\n",
                                            "ends in\n\n",
                                            "!!",
                                            "!x",
                                            "a;b",
                                            "a|b&c",
                                            "(x)",
                                            "{a,b}",
                                            "~",
                                            "*",
                                            "[a-z]?",
                                            "a\tb",
                                            "\r",
                                            "^",
                                            "%s%n",
                                            "#no comment",
                                            "-n",
                                            "--",
                                            "gr\xc3\xbc\xc3\x9f dich",
                                            "\xff\xfe",
                                            "\\n \\0101 \\c",
                                            "a=b",
                                            "'\\''",
                                            "$(id)"};

std::string every_byte()
{
    std::string all;
    for (int byte = 1; byte < 256; ++byte)
        all += static_cast<char>(byte);
    return all;
}

/// The shells of this machine that a user could have.
std::vector<std::string> shells()
{
    std::vector<std::string> found{"/bin/sh"};
    for (auto name : {"bash", "dash", "zsh", "csh", "tcsh", "fish", "ksh", "busybox"})
        if (auto file = installed(name); !file.empty())
            found.push_back(file);
    return found;
}

/// As sshd does it: the login shell is given one text.
brood::exec_result by_shell(const std::string& shell, const std::string& script)
{
    if (shell.ends_with("busybox"))
        return exec_file_sync(shell, {"sh", "-c", script});
    return exec_file_sync(shell, {"-c", script});
}

} // namespace

TEST_CASE("arguments reach a program through any shell byte for byte", "[remote]")
{
    temporary_directory folder;
    // Prints its arguments with a zero byte behind each.
    auto program = folder.write("print all", "#!/bin/sh\nprintf '%s\\0' \"$@\"\n");
    auto list = difficult;
    list.push_back(every_byte());
    std::string wanted;
    for (auto& each : list)
        wanted += each + '\0';
    auto script = remote_script(worker_program{program, arguments(list)});
    for (auto& shell : shells())
    {
        CAPTURE(shell);
        auto ran = by_shell(shell, script);

        CHECK(ran.success());
        CHECK(ran.err == "");
        CHECK(ran.out == wanted);
    }
}

TEST_CASE("a program elsewhere has the directory and the variables it is given", "[remote]")
{
    temporary_directory folder;
    auto cwd = folder / "it's a\nplace";
    std::filesystem::create_directory(cwd);
    worker_program program{"sh", {"-c", "pwd; printf %s \"$ONE\""}, cwd, {{"ONE", every_byte()}}};
    for (auto& shell : shells())
    {
        CAPTURE(shell);
        CHECK(by_shell(shell, remote_script(program)).out == cwd + '\n' + every_byte());
    }

    program.cwd = folder / "missing";
    auto ran = by_shell("/bin/sh", remote_script(program));
    CHECK(ran.status.code == 125);
    CHECK(ran.err.find("cd: ") != std::string::npos);
}

TEST_CASE("a relative directory is never what cd makes of - and CDPATH", "[remote]")
{
    temporary_directory folder;
    std::filesystem::create_directory(folder / "-");
    auto script = remote_script(worker_program{"pwd", {}, "-", {}});
    auto options = brood::exec_options().cwd(folder.path());

    CHECK(exec_file_sync("/bin/sh", {"-c", script}, options).out == folder / "-\n");
}

TEST_CASE("how a program ends is told as a shell tells it", "[remote]")
{
    auto code = [](const std::string& script)
    {
        auto text = remote_script(worker_program{"/bin/sh", {"-c", script}});
        std::vector<int> codes;
        for (auto& shell : shells())
            codes.push_back(by_shell(shell, text).status.code);
        CHECK(codes == std::vector<int>(codes.size(), codes.front()));
        return codes.front();
    };

    CHECK(code("exit 0") == 0);
    CHECK(code("exit 42") == 42);
    CHECK(code("exit 255") == 255);
    CHECK(code("kill -TERM $$") == 143);
    CHECK(code("kill -KILL $$") == 137);
    auto missing = remote_script(worker_program{"/no/such/program"});
    CHECK(by_shell("/bin/sh", missing).status.code == 127);
}

TEST_CASE("a program is no word of the shell, and its name may be anything", "[remote]")
{
    temporary_directory folder;
    for (std::string name : {"if", "-x", "a=b", "it's"})
    {
        CAPTURE(name);
        folder.write(name, "#!/bin/sh\necho ran\n");
        auto found = brood::environment().set("PATH", folder.path().string() + ":/usr/bin:/bin");
        auto options = brood::exec_options().env(found);
        auto script = remote_script(worker_program{name});

        CHECK(exec_file_sync("/bin/sh", {"-c", script}, options).out == "ran\n");
    }
}

TEST_CASE("what needs no encoding can be read as it is", "[remote]")
{
    worker_program program{"/opt/fib", {"--fast", "3"}, "/tmp", {{"A", "1"}}};

    CHECK(remote_script(program) ==
          "exec /bin/sh -c 'cd /tmp || exit 125; A=1 /opt/fib --fast 3; exit $?'");
    CHECK(remote_script("uname -sm") == "exec /bin/sh -c 'uname -sm'");
    CHECK(shell_quoted("/opt/fib") == "/opt/fib");
    CHECK(shell_quoted("") == "''");
    CHECK(shell_quoted("it's") == "'it'\\''s'");
    CHECK(to_string(launch_command{"srun", {"-n1", "a b"}, {{"N", "1"}}}) == "N=1 srun -n1 'a b'");
}

TEST_CASE("what no shell can pass is refused", "[remote]")
{
    auto refused = [](const worker_program& program)
    {
        CHECK_THROWS_AS(remote_script(program), std::invalid_argument);
    };

    refused({"/opt/fib", {std::string("a\0b", 3)}});
    refused({""});
    refused({"/opt/fib", {}, {}, {{"A B", "1"}}});
    refused({"/opt/fib", {}, {}, {{"1A", "1"}}});
    refused({"/opt/fib", {}, {}, {{"", "1"}}});
    CHECK_THROWS_AS(remote_script(std::string_view("a\0b", 3)), std::invalid_argument);
}
