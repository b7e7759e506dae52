// SPDX-License-Identifier: BSL-1.0
#include "support/disturbance.hpp"

#include <brood/base/detail/asio.hpp>
#include <brood/base/loop.hpp>

#include <csignal>
#include <thread>

namespace brood::test
{

namespace
{

task<> let_go_on(pid_t child)
{
    co_await sleep(std::chrono::milliseconds(30));
    auto line = find_process(child);
    if (line && line->parent == ::getpid())
        ::kill(child, SIGCONT);
}

} // namespace

void disturb(disturbance how, pid_t child)
{
    if (how == disturbance::stopped_child)
    {
        ::kill(child, SIGSTOP);
        wait_until(std::chrono::seconds(2),
                   [child]
                   {
                       auto line = find_process(child);
                       return !line || line->state == 'T' || line->state == 'Z';
                   });
        asio::co_spawn(default_executor(), let_go_on(child), asio::detached);
    }
    else if (how == disturbance::busy_parent)
    {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

} // namespace brood::test
