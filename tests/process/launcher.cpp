// SPDX-License-Identifier: BSL-1.0
#include <brood/process/launcher.hpp>

#include <brood/process/fork.hpp>

#include "support/catch.hpp"
#include "support/within.hpp"

#include <string>

using namespace std::chrono_literals;
using brood::process;
using brood::task;

namespace
{

task<> answer(process& self, int number)
{
    self.send(number + 1);
    co_return;
}

/// Starts everything here, and says so.
class local_launcher final : public brood::launcher
{
public:
    std::string name() const override { return "local"; }

    brood::launcher_capabilities capabilities() const noexcept override { return {}; }

    std::size_t workers() const override { return 1; }

    std::chrono::milliseconds orphan_grace() const override { return 5s; }

    brood::forked_process launch(asio::any_io_executor executor,
                                 const brood::launch_request& wanted) override
    {
        ++launched;
        entry = wanted.entry;
        CHECK_FALSE(wanted.options.launcher);
        return brood::fork_with<answer>(executor, wanted.options, 41);
    }

    int launched = 0;
    std::string entry;
};

} // namespace

TEST_CASE("A launcher can do what a start on this machine can, unless it says otherwise",
          "[launcher]")
{
    brood::launcher_capabilities all;
    CHECK(all.graceful_signal);
    CHECK(all.descriptors);
    CHECK(all.shared_memory);
    CHECK(all.exit_status == brood::launcher_capabilities::status::exact);
    CHECK(all == local_launcher().capabilities());
}

TEST_WITHIN(20s, "What a launcher of the options starts is the child, with a channel", "[launcher]")
{
    auto by = std::make_shared<local_launcher>();
    brood::spawn_options options;
    options.launcher = by;
    auto child = brood::fork_with<answer>(options, 1);
    CHECK(by->launched == 1);
    CHECK(by->entry.find("answer") != std::string::npos);
    auto came = co_await child.message<int>();
    CHECK(came == 42);
    auto status = co_await child.exit();
    CHECK(status.success());
}
