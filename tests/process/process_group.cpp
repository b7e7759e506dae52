// SPDX-License-Identifier: BSL-1.0
#include <brood/process/process_group.hpp>

#include <brood/process/spawn.hpp>

#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/within.hpp"

#include <unistd.h>

#include <csignal>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::process_group;
using brood::task;

namespace
{

/// A child of this group that runs until it is told not to.
brood::child_process in_group(const process_group& group)
{
    brood::spawn_options options;
    options.group = group;
    options.on_drop = brood::on_drop::kill;
    return brood::spawn("sleep", {"1000"}, options);
}

} // namespace

TEST_WITHIN(10s, "a child is in our group and session unless it is put elsewhere",
            "[process_group]")
{
    auto usual = in_group({});
    auto leader = in_group(process_group::own());
    auto member = in_group(process_group::join(leader.pid()));
    auto apart = in_group(process_group::new_session());

    CHECK(::getpgid(usual.pid()) == ::getpgrp());
    CHECK(::getpgid(leader.pid()) == leader.pid());
    CHECK(::getpgid(member.pid()) == leader.pid());
    CHECK(::getsid(member.pid()) == ::getsid(0));
    CHECK(::getpgid(apart.pid()) == apart.pid());
    CHECK(::getsid(apart.pid()) == apart.pid());
    co_return;
}

TEST_WITHIN(10s, "a group that is none fails the start", "[process_group]")
{
    std::string step;
    try
    {
        in_group(process_group::join(999'999'999));
    }
    catch (const brood::spawn_error& refused)
    {
        step = refused.step();
        CHECK(refused.code() == std::errc::operation_not_permitted);
    }
    CHECK(step == "group");
    CHECK_THROWS_AS(in_group(process_group::join(-2)), brood::spawn_error);
    co_return;
}

TEST_WITHIN(10s, "ending the tree of a child that leads a group reaches all of the group",
            "[process_group]")
{
    auto leader = in_group(process_group::own());
    auto member = in_group(process_group::join(leader.pid()));
    CHECK(leader.kill_tree(SIGKILL));
    auto first = co_await leader.exit();
    auto second = co_await member.exit();

    CHECK(first.signal == SIGKILL);
    CHECK(second.signal == SIGKILL);
}
