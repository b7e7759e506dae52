// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/process/child_process.hpp>
#include <brood/remote/ssh_options.hpp>

#include "support/fixture.hpp"
#include "support/temporary_directory.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace brood::test
{

/// An sshd of our own, without privileges, on a port of the loopback, with keys of its own, and the
/// configuration of a client that knows it as the hosts w1, w2, w3 and w4.
///
/// Further hosts cannot be reached, each for another reason: "closed" (nobody listens), "stranger"
/// (takes no key of ours), "untrusted" (its key is not known), "changed" (another key is known),
/// "nowhere" (does not resolve). All that runs in its sessions is ended with it.
class ssh_server
{
public:
    ssh_server();
    ~ssh_server();

    ssh_server(const ssh_server&) = delete;
    ssh_server& operator=(const ssh_server&) = delete;

    /// What is not installed; empty when all is there.
    static std::string missing();

    /// How brood reaches it.
    ssh_options options() const;

    /// What is run in a session finds its host, "w2", as this variable.
    static constexpr const char* host_variable = "BROOD_TEST_HOST";

    pid_t pid() const { return server_.pid(); }

    /// The processes of its sessions, each of which serves one connection.
    std::vector<pid_t> sessions() const;

    /// An empty place for files, on either side.
    const temporary_directory& folder() const noexcept { return folder_; }

private:
    void make_keys();
    void write_configuration(unsigned short port);
    bool start();

    asio::io_context loop_{1};
    temporary_directory folder_;
    child_process server_;
};

} // namespace brood::test

/// A test case with an sshd by the name `server`, as TEST_WITHIN is one without.
#define TEST_WITH_SSH(limit, ...) TEST_WITH(brood::test::ssh_server, server, limit, __VA_ARGS__)
