// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/launched_exit.hpp>

#include "support/catch.hpp"

#include <csignal>
#include <string>

using brood::exit_by_srun;
using brood::exit_by_ssh;
using brood::exit_exactness;
using brood::exit_status;
using brood::launched_exit;

namespace
{

exit_status code(int value)
{
    exit_status made;
    made.pid = 4711;
    made.code = value;
    return made;
}

exit_status killed()
{
    exit_status made;
    made.pid = 4711;
    made.signal = SIGKILL;
    return made;
}

/// "exact code 3", "128 + n signal 15", "unknown: why".
std::string text(const launched_exit& end)
{
    CHECK(end.status.pid == 4711);
    CHECK(end.status.lost == (end.exactness == exit_exactness::none));
    if (end.status.lost)
        return "unknown: " + end.why;
    auto how = to_string(end.exactness) + " ";
    return how +
           (end.status.signal != 0 ? "signal " + std::to_string(end.status.signal)
                                   : "code " + std::to_string(end.status.code)) +
           (end.status.core_dumped ? ", core" : "");
}

std::string of_task(const std::string& how)
{
    return "a word of the worker\nsrun: error: n2: task 0: " + how + '\n';
}

} // namespace

TEST_CASE("codes through ssh are exact, and signals as a shell says them", "[remote]")
{
    CHECK(text(exit_by_ssh(code(0), "")) == "exact code 0");
    CHECK(text(exit_by_ssh(code(42), "")) == "exact code 42");
    CHECK(text(exit_by_ssh(code(127), "")) == "exact code 127");
    CHECK(text(exit_by_ssh(code(128), "")) == "exact code 128");
    CHECK(text(exit_by_ssh(code(143), "Terminated\n")) == "128 + n signal 15");
    CHECK(text(exit_by_ssh(code(192), "")) == "128 + n signal 64");
    CHECK(text(exit_by_ssh(code(193), "")) == "exact code 193");
    CHECK(text(exit_by_ssh(code(254), "")) == "exact code 254");
}

TEST_CASE("255 of ssh is not known, with what ssh said", "[remote]")
{
    CHECK(text(exit_by_ssh(code(255), "")) ==
          "unknown: the connection was lost, or the worker ended with code 255");
    CHECK(text(exit_by_ssh(code(255), "Connection to n1 closed by remote host.\r\n"))
              .find("unknown: the connection was lost") == 0);
    CHECK(text(exit_by_ssh(code(127), "/bin/sh: 1: fib: not found"))
              .find("unknown: the program is not there") == 0);
    CHECK(text(exit_by_ssh(killed(), "")) == "unknown: ssh was ended by SIGKILL");
    auto lost = code(0);
    lost.lost = true;
    CHECK(text(exit_by_ssh(lost, "")) == "unknown: somebody else collected how ssh ended");
}

TEST_CASE("what srun says of its task makes its code exact", "[remote]")
{
    CHECK(text(exit_by_srun(code(0), "")) == "exact code 0");
    CHECK(text(exit_by_srun(code(3), of_task("Exited with exit code 3"))) == "exact code 3");
    CHECK(text(exit_by_srun(code(143), of_task("Exited with exit code 143"))) == "exact code 143");
    CHECK(text(exit_by_srun(code(255), of_task("Exited with exit code 255"))) == "exact code 255");
    CHECK(text(exit_by_srun(code(143), of_task("Terminated"))) == "exact signal 15");
    CHECK(text(exit_by_srun(code(137), of_task("Killed"))) == "exact signal 9");
    CHECK(text(exit_by_srun(code(134), of_task("Aborted (core dumped)"))) ==
          "exact signal 6, core");
    CHECK(text(exit_by_srun(code(168), of_task("Real-time signal 6"))) == "exact signal 40");
    auto down = of_task("Terminated") + "srun: error: IO: Hey, you told me node 0 was down!\n";
    CHECK(text(exit_by_srun(code(143), down)) == "exact signal 15");
}

TEST_CASE("what the worker printed is not taken for what srun says", "[remote]")
{
    CHECK(text(exit_by_srun(code(143), "I am task 0: Terminated")) == "128 + n signal 15");
    CHECK(text(exit_by_srun(code(143), "")) == "128 + n signal 15");
    // Another end than the code's.
    CHECK(text(exit_by_srun(code(143), of_task("Killed"))) == "128 + n signal 15");
    CHECK(text(exit_by_srun(code(5), "no line of srun")) == "exact code 5");
}

TEST_CASE("a step that never ran is not known, with what Slurm said", "[remote]")
{
    auto never = of_task("Exited with exit code 2") +
                 "slurmstepd-n1: error: execve(): /no/such: No such file or directory\n";
    CHECK(text(exit_by_srun(code(2), never)).find("unknown: slurm: the program is not there") == 0);
    CHECK(text(exit_by_srun(code(1), "srun: error: Unable to create step for job 1: Requested "
                                     "node configuration is not available\n"))
              .find("unknown: slurm: no node is what was asked for") == 0);
    CHECK(text(exit_by_srun(code(1), "srun: error: something new\n")) == "unknown: srun failed");
    CHECK(text(exit_by_srun(killed(), "")) == "unknown: srun was ended by SIGKILL");
}

TEST_CASE("a worker that used too much memory was killed, and why", "[remote]")
{
    auto end = exit_by_srun(
        code(253), "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0. Some of the step "
                   "tasks have been OOM Killed.\nsrun: error: n1: task 0: Out Of Memory\n");

    CHECK(text(end) == "exact signal 9");
    CHECK(end.why.find("slurm: it was killed as it used more memory than it may") == 0);
}

TEST_CASE("a step that was cancelled says so beside its signal", "[remote]")
{
    auto end = exit_by_srun(
        code(143), "slurmstepd-n1: error: *** STEP 7.0 ON n1 CANCELLED AT 2026-11-28T13:44:05 "
                   "DUE TO TIME LIMIT ***\nsrun: error: n1: task 0: Terminated\n");

    CHECK(text(end) == "exact signal 15");
    CHECK(end.why.find("slurm: the time of the allocation is over") == 0);
}
