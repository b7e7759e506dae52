// SPDX-License-Identifier: BSL-1.0
#include <brood/remote/slurm_command.hpp>

#include <brood/remote/launched_exit.hpp>
#include <brood/remote/slurm_allocation.hpp>

#include "support/catch.hpp"
#include "support/launched.hpp"
#include "support/loop_slurm.hpp"

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
using brood::salloc_command;
using brood::sbcast_command;
using brood::scancel_command;
using brood::slurm_allocation;
using brood::slurm_failure;
using brood::slurm_options;
using brood::srun_command;
using brood::task;
using brood::worker_program;

namespace
{

/// A worker that says its step and pid, then ends as it does by this line of sh.
worker_program worker(const std::string& line)
{
    return {"/bin/sh", {"-c", "echo $SLURM_STEP_ID $$; " + line}};
}

/// An allocation as long as it lives.
struct allocation
{
    brood::child_process salloc;
    slurm_allocation given;
};

task<allocation> allocated(slurm_options options)
{
    allocation made;
    made.salloc = start(salloc_command(options));
    std::string printed;
    for (;;)
    {
        if (auto read = slurm_allocation::parse(printed))
        {
            made.given = *read;
            co_return made;
        }
        auto more = co_await made.salloc.out().read_some();
        if (more.empty())
            throw std::runtime_error("salloc ended: " + printed);
        printed += more;
    }
}

/// Two whole nodes.
task<allocation> two_nodes()
{
    slurm_options options;
    options.nodes = 2;
    return allocated(options);
}

/// A worker on a node of it.
launch_command step(const allocation& of, const std::string& node, const worker_program& program)
{
    return srun_command(slurm_options(), of.given.job, node, program);
}

task<> given_back(allocation& of)
{
    of.salloc.in().close();
    auto status = co_await of.salloc.exit();
    CHECK(status.success());
}

} // namespace

TEST_CASE("the words of srun make one worker one step", "[remote]")
{
    slurm_options options;
    options.cpus_per_task = 2;
    options.gpus = "1";
    options.exported = "NONE";
    options.step_options = {"--mem=1G"};
    worker_program program{"/opt/fib", {"a b"}, "", {{"ONE", "1"}}};

    CHECK(to_string(srun_command(options, "17", "n2", program)) ==
          "ONE=1 srun '--jobid=17' '--nodelist=n2' --overlap --exact '--nodes=1' '--ntasks=1' "
          "--unbuffered --quiet '--mpi=none' '--cpus-per-task=2' '--gpus-per-task=1' "
          "'--job-name=fib' '--export=ONE' '--mem=1G' -- /opt/fib 'a b'");
}

TEST_CASE("the words of salloc ask for what the options say", "[remote]")
{
    slurm_options options{.nodes = 2,
                          .partition = "long",
                          .account = "me",
                          .constraint = "intel&gpu",
                          .memory = "4G",
                          .time = 90min,
                          .wait = 10s};
    options.allocation_options = {"--reservation=mine"};
    auto text = to_string(salloc_command(options));

    CHECK(text.find("salloc --quiet --no-kill '--nodes=2' --exclusive '--partition=long' "
                    "'--account=me' '--constraint=intel&gpu' '--mem=4G' '--time=90' "
                    "'--immediate=10' '--reservation=mine' -- /bin/sh -c ") == 0);
    CHECK(to_string(scancel_command("17", "3", SIGTERM)) == "scancel '--signal=15' 17.3");
    CHECK(to_string(scancel_command("17")) == "scancel 17");
    CHECK(to_string(sbcast_command("17", "/a", "/tmp/b")) ==
          "sbcast --force --preserve '--jobid=17' /a /tmp/b");
}

TEST_CASE("a step is called after its program", "[remote]")
{
    CHECK(brood::step_name("/opt/bin/fib") == "fib");
    CHECK(brood::step_name("fib") == "fib");
    CHECK(brood::step_name("/opt/fib/") == "fib");
    CHECK(brood::step_name("") == "");
}

TEST_CASE("what Slurm says becomes a cure", "[remote]")
{
    CHECK(slurm_failure(1, "salloc: error: invalid partition specified: nope\n"
                           "salloc: error: Job submit/allocate failed: Invalid partition name "
                           "specified\n") ==
          "slurm: it knows no such partition: sinfo lists them (salloc: error: invalid partition "
          "specified: nope)");
    CHECK(slurm_failure(1, "srun: error: Unable to create step for job 1: More processors "
                           "requested than permitted")
              .find("more processors were asked for") != std::string::npos);
    CHECK(slurm_failure(1, "srun: Check SLURM_JOB_ID environment variable. Expired or invalid job "
                           "999")
              .find("no such allocation") != std::string::npos);
    CHECK(slurm_failure(1, "a word") == "");
    CHECK(slurm_failure(0, "salloc: error: invalid partition") == "");
}

TEST_WITH_SLURM(30s, "an allocation is kept as long as its stdin is open", "[remote][slurm]")
{
    auto got = co_await two_nodes();
    CHECK(got.given.nodes.size() == 2);
    CHECK(got.given.workers() == 16);

    // As at our own end, by whatever signal.
    co_await given_back(got);
    slurm_options options;
    options.tasks = 3;
    options.cpus_per_task = 2;
    auto again = co_await allocated(options);
    CHECK(again.given.workers() == 3);
    CHECK(again.given.cpus_per_task == 2);
    co_await given_back(again);
}

TEST_WITH_SLURM(30s, "an allocation that is refused is told with the cure", "[remote][slurm]")
{
    slurm_options options;
    options.wait = 1s;
    options.partition = "nope";
    auto ran = co_await run(salloc_command(options));
    CHECK(slurm_failure(ran.status.code, ran.err).find("slurm: it knows no such partition") == 0);

    options.partition = "";
    options.constraint = "gpu";
    auto other = co_await run(salloc_command(options));
    CAPTURE(other.err);
    CHECK(slurm_failure(other.status.code, other.err).find("slurm: no node has these") == 0);
}

TEST_WITH_SLURM(40s, "streams, arguments and variables reach a step byte for byte",
                "[remote][slurm]")
{
    auto got = co_await two_nodes();
    std::string bytes;
    for (int count = 0; count < 40; ++count)
        bytes += every_byte();
    auto echo_step = step(got, "n2", worker_program{"cat"});
    auto echo = co_await run(echo_step, bytes);
    CHECK(echo.out == bytes);
    CHECK(echo.err == "");

    worker_program program{"/bin/sh",
                           {"-c", "printf '%s|' \"$SLURMD_NODENAME\" \"$ONE\" \"$@\"", "sh", "it's",
                            "", "a\nb", "$HOME"}};
    program.variables = {{"ONE", "1,2 \xff"}};
    auto printed_step = step(got, "n2", program);
    auto printed = co_await run(printed_step);
    CHECK(printed.out == "n2|1,2 \xff|it's||a\nb|$HOME|");

    program = worker_program{"pwd"};
    program.cwd = slurm.folder() / "it's\na place";
    std::filesystem::create_directory(program.cwd);
    auto there_step = step(got, "n1", program);
    auto there = co_await run(there_step);
    CHECK(there.out == program.cwd + '\n');
    program.cwd = "/no/such";
    auto nowhere_step = step(got, "n1", program);
    auto nowhere = co_await run(nowhere_step);
    CHECK(nowhere.status.code == 125);
    co_await given_back(got);
}

TEST_WITH_SLURM(60s, "codes and signals of a worker come through srun", "[remote][slurm]")
{
    struct line
    {
        std::string script;
        int code, signal;
    };
    std::vector<line> table{
        {"exit 0", 0, 0},
        {"exit 1", 1, 0},
        {"exit 42", 42, 0},
        {"exit 127", 127, 0},
        {"exit 255", 255, 0},
        {"exit 143", 143, 0},
        {"kill -TERM $$", 0, SIGTERM},
        {"kill -KILL $$", 0, SIGKILL},
        {"kill -SEGV $$", 0, SIGSEGV},
    };
    auto got = co_await two_nodes();
    for (auto& each : table)
    {
        auto ran_step = step(got, "n1", worker(each.script));
        auto ran = co_await run(ran_step);
        auto end = exit_by_srun(ran.status, ran.err);
        CAPTURE(each.script, ran.err, end.why);

        CHECK(end.exactness == exit_exactness::exact);
        CHECK(end.status.code == each.code);
        CHECK(end.status.signal == each.signal);
    }
    auto missing_step = step(got, "n1", {"/no/such/program"});
    auto missing = co_await run(missing_step);
    auto end = exit_by_srun(missing.status, missing.err);
    CHECK(end.why.find("slurm: the program is not there") == 0);
    co_await given_back(got);
}

TEST_WITH_SLURM(30s, "a step takes SIGTERM by scancel, and is killed with its srun",
                "[remote][slurm]")
{
    auto got = co_await two_nodes();
    auto& job = got.given.job;
    auto command = step(got, "",
                        worker("trap 'echo asked; exit 7' TERM; "
                               "while :; do sleep 0.05; done"));
    auto first = start(command);
    auto said = co_await first.out().read_line();
    REQUIRE(said);
    auto step = said->substr(0, said->find(' '));
    // Its code says nothing: it fails where a job has nodes without this step.
    co_await run(scancel_command(job, step, SIGTERM));
    auto asked = co_await first.out().read_line();
    CHECK(asked == "asked");
    auto status = co_await first.exit();
    CHECK(status.code == 7);

    auto second = start(command);
    said = co_await second.out().read_line();
    REQUIRE(said);
    auto pid = std::stoi(said->substr(said->find(' ')));
    CHECK(alive(pid));
    // srun alone: its other process then has the step killed.
    second.kill(SIGKILL);
    auto killed = co_await second.exit();
    auto has_gone = [pid]
    {
        return gone(pid);
    };
    auto ended = co_await eventually(10s, has_gone);
    CHECK(ended);
    CHECK(exit_by_srun(killed, "").exactness == exit_exactness::none);
    co_await given_back(got);
}

TEST_WITH_SLURM(30s, "a program is sent to the nodes of a job", "[remote][slurm]")
{
    auto got = co_await two_nodes();
    auto from = slurm.folder().write("program", "#!/bin/sh\necho sent\n");
    auto to = slurm.folder() / "sent";
    auto sent = co_await run(sbcast_command(got.given.job, from, to));
    CAPTURE(sent.err);
    CHECK(sent.success());
    auto ran_step = step(got, "n2", worker_program{to});
    auto ran = co_await run(ran_step);
    CHECK(ran.out == "sent\n");
    co_await given_back(got);
}
