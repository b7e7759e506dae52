// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/process/child_process.hpp>

#include "support/fixture.hpp"
#include "support/temporary_directory.hpp"

#include <list>
#include <string>
#include <sys/types.h>
#include <vector>

namespace brood::test
{

/// A Slurm of two nodes, n1 and n2, with eight processors each, or more, as it believes, on the
/// loopback of this machine and without privileges. Who reaches its ports may run programs: never
/// elsewhere.
///
/// As long as it lives, SLURM_CONF of this process names it, so that every srun finds it. All that
/// runs in it is ended with it.
class loop_slurm
{
public:
    explicit loop_slurm(unsigned processors_of_a_node = 8);
    ~loop_slurm();

    loop_slurm(const loop_slurm&) = delete;
    loop_slurm& operator=(const loop_slurm&) = delete;

    /// What is not installed, or why else it cannot run here; empty when it can.
    static std::string missing();

    static constexpr const char* nodes[] = {"n1", "n2"};

    /// The slurmstepd of running steps, one for each.
    std::vector<pid_t> step_daemons() const;

    /// An empty place for files.
    const temporary_directory& folder() const noexcept { return folder_; }

private:
    void write_configuration(unsigned processors_of_a_node);
    child_process& start(const std::string& daemon, const std::string& node);
    bool all_idle();
    bool start_all();
    void end_all();

    asio::io_context loop_{1};
    temporary_directory folder_;
    std::list<child_process> daemons_;
};

} // namespace brood::test

/// A test case with a Slurm by the name `slurm`, as TEST_WITHIN is one without.
#define TEST_WITH_SLURM(limit, ...) TEST_WITH(brood::test::loop_slurm, slurm, limit, __VA_ARGS__)
