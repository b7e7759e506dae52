// SPDX-License-Identifier: BSL-1.0
#include <brood/cluster/detail/core/oom_detector.hpp>

#include "os/faked_root.hpp"
#include "support/catch.hpp"

#include <csignal>
#include <string>

using brood::exit_cause;
using brood::exit_status;
using brood::detail::oom_detector;
using brood::test::faked_root;

namespace
{

/// A control group in which the kernel has killed so many.
struct group : faked_root
{
    group()
    {
        write("/proc/self/cgroup", "0::/a\n");
        write("/proc/self/mountinfo", "30 23 0:26 / /cg rw shared:4 - cgroup2 cgroup2 rw\n");
        has_killed(0);
    }

    void has_killed(int count) const
    {
        write("/cg/a/memory.events", "oom_kill " + std::to_string(count) + "\n");
    }
};

exit_status by(int signal)
{
    exit_status status;
    status.signal = signal;
    return status;
}

} // namespace

TEST_CASE("a SIGKILL is the kernel's when its count has moved since the worker started")
{
    group kernel;
    oom_detector witness(kernel.text());
    auto before = witness.seen();

    CHECK(witness.cause_of(by(SIGKILL), before) == exit_cause::signalled);
    kernel.has_killed(1);
    CHECK(witness.cause_of(by(SIGSEGV), before) == exit_cause::signalled);
    CHECK(witness.cause_of(by(0), before) == exit_cause::exited);
    CHECK(witness.cause_of(by(SIGKILL), before) == exit_cause::oom);
}

TEST_CASE("each kill of the kernel is the end of one worker")
{
    group kernel;
    oom_detector witness(kernel.text());
    auto before = witness.seen();
    kernel.has_killed(2);

    CHECK(witness.cause_of(by(SIGKILL), before) == exit_cause::oom);
    CHECK(witness.cause_of(by(SIGKILL), before) == exit_cause::oom);
    CHECK(witness.cause_of(by(SIGKILL), before) == exit_cause::signalled);
}

TEST_CASE("a kill from before the worker started is not its end")
{
    group kernel;
    oom_detector witness(kernel.text());
    kernel.has_killed(3);

    CHECK(witness.cause_of(by(SIGKILL), witness.seen()) == exit_cause::signalled);
}
