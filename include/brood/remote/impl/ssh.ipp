// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/task_group.hpp>
#include <brood/process/exec.hpp>
#include <brood/remote/detail/by_ssh.hpp>
#include <brood/remote/detail/processor_count.hpp>
#include <brood/remote/detail/said_behind.hpp>
#include <brood/remote/ssh.hpp>
#include <brood/remote/ssh_command.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood
{
namespace detail
{

using host_records = std::shared_ptr<std::vector<remote_host>>;

/// Asks one of the hosts. One that does not answer has one place: its first worker tells why.
inline task<> count_processors_of(host_records hosts, std::size_t number, ssh_options options)
{
    auto& host = hosts->at(number);
    auto executor = co_await asio::this_coro::executor;
    auto text = "echo; echo \"brood-cpus: $(" + processor_count_text() + ")\"";
    auto command = ssh_command(options, host, std::string_view(text));
    auto limited = exec_options().timeout(options.connect_timeout + std::chrono::seconds(5));
    std::string said;
    try
    {
        auto found = co_await exec_file(executor, command.program, command.args, limited);
        said = said_behind(found.out, "brood-cpus: ");
    }
    catch (const spawn_error&)
    {
        // No ssh: so says the start of each worker.
    }
    std::size_t count = 0;
    std::from_chars(said.data(), said.data() + said.size(), count);
    host.cpus = std::max<std::size_t>(count, 1);
}

inline task<host_list> count_processors_on(asio::any_io_executor executor, host_list list,
                                           ssh_options options)
{
    constexpr std::size_t logins_at_once = 32;
    auto hosts = std::make_shared<std::vector<remote_host>>(list.hosts());
    task_group asked(executor, logins_at_once);
    for (std::size_t number = 0; number < hosts->size(); ++number)
        if (hosts->at(number).cpus == 0)
            asked.start(count_processors_of(hosts, number, options));
    co_await asked.join();
    co_return host_list(std::move(*hosts));
}

/// The same, and blocks until then.
inline host_list with_counted_processors(const host_list& hosts, const ssh_options& options)
{
    auto& all = hosts.hosts();
    if (std::none_of(all.begin(), all.end(), [](auto& each) { return each.cpus == 0; }))
        return hosts;
    asio::io_context loop(1);
    host_list counted;
    std::exception_ptr failed;
    auto work = count_processors_on(loop.get_executor(), hosts, options);
    auto keep = [&](std::exception_ptr thrown, host_list found)
    {
        failed = std::move(thrown);
        counted = std::move(found);
    };
    asio::co_spawn(loop, std::move(work), std::move(keep));
    loop.run();
    if (failed)
        std::rethrow_exception(failed);
    return counted;
}

} // namespace detail

BROOD_INLINE task<host_list> count_processors(host_list hosts, ssh_options options)
{
    auto executor = co_await asio::this_coro::executor;
    auto counted = co_await detail::count_processors_on(executor, std::move(hosts), options);
    co_return counted;
}

BROOD_INLINE task<host_list> count_processors(host_list hosts)
{
    return count_processors(std::move(hosts), ssh_options());
}

BROOD_INLINE std::shared_ptr<launcher> ssh(const host_list& hosts, const ssh_settings& settings)
{
    settings.options.check();
    if (hosts.empty())
        throw std::invalid_argument("brood: workers over ssh need a host");
    if (settings.deploy && settings.deploy->copy && !settings.program.empty())
        throw std::invalid_argument(
            "brood: workers over ssh: a program that is copied has a path of "
            "its own there: leave `program` empty");
    auto counted = detail::with_counted_processors(hosts, settings.options);
    return std::make_shared<detail::by_ssh>(counted, settings);
}

} // namespace brood
