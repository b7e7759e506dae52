// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/remote/host_list.hpp>
#include <brood/remote/program_file.hpp>
#include <brood/remote/ssh_options.hpp>

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

namespace brood
{

/// A program that could not be made ready on a host: which one, the step, and what to do.
///
/// "deploy to n1: copy: the disk there is full: ..."
class deploy_error : public std::runtime_error
{
public:
    deploy_error(std::string host, std::string step, const std::string& why)
        : std::runtime_error("deploy to " + host + ": " + step + ": " + why),
          host_(std::move(host)), step_(std::move(step))
    {
    }

    const std::string& host() const noexcept { return host_; }

    /// What failed: connect, architecture, build, copy.
    const std::string& step() const noexcept { return step_; }

private:
    std::string host_;
    std::string step_;
};

/// How a program gets to a host.
struct deploy_options
{
    /// Whether it is copied. If not, the same build must be there at the same path.
    bool copy = true;

    /// Where copies are kept there, absolute; empty for ~/.cache/brood, or XDG_CACHE_HOME.
    std::string folder = {};

    /// The socket of an ssh_master(), whose connection is used; empty for one of its own.
    std::string control_path = {};

    /// How long all of it may take.
    std::chrono::seconds limit{300};
};

/// A program that is ready on a host.
struct deployment
{
    std::string path;     ///< Of the program there, absolute.
    std::size_t cpus = 0; ///< How many processors a worker there may use; 0 when it does not say.
    bool copied = false;  ///< Whether it had to be copied now.
};

/// Makes a program ready on a host before anything of it runs: looks which system it is and whether
/// the program is there, and copies it when it is not, once: the place is named by its hash.
///
/// One login, and one more for the copy. What arrives is compared with what was sent before it
/// takes its name, so nobody finds half a program; nothing is left of an attempt that failed.
/// Throws deploy_error: the host cannot be reached ("connect"), is of another system or
/// architecture ("architecture"), has another program or none at the path and nothing is to be
/// copied ("build"), or the copy failed ("copy": a full disk, a connection that was lost, a limit).
/// Cancelled, it ends its ssh, and the other side removes what had come.
task<deployment> deploy(ssh_options options, remote_host host, program_file program,
                        deploy_options how);

/// The same as it is done by default.
task<deployment> deploy(ssh_options options, remote_host host, program_file program);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/deploy.ipp>
#endif
