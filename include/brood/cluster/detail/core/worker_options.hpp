// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/cluster/detail/core/notice_socket.hpp>
#include <brood/cluster/detail/core/worker_core.hpp>
#include <brood/cluster/detail/output/output_reader.hpp>
#include <brood/cluster/settings.hpp>
#include <brood/cluster/worker.hpp>
#include <brood/process/internal/worker_protocol.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

// What a worker is started with, and what of it the primary reads.

namespace brood::detail
{

/// Whether the primary reads this stream: not what the user sends elsewhere, or reads.
inline bool reads(const cluster_settings& settings, const stdio& stream)
{
    return settings.output.on() && stream.what() == stdio::kind::inherit;
}

/// The options of the settings, with who the worker is, these variables, and pipes for what is
/// read.
inline spawn_options worker_options(const cluster_settings& settings, const worker_core& worker,
                                    const std::map<std::string, std::string>& variables)
{
    auto options = settings.spawn;
    if (!options.env)
        options.env.emplace();
    for (auto& [name, value] : variables)
        options.env->set(name, value);
    worker_identity who{worker.id, static_cast<std::uint32_t>(worker.slot)};
    options.env->set(worker_variable, to_string(who));
    if (worker.notices)
        options.env->set("NOTIFY_SOCKET", worker.notices->name());
    for (auto stream : {&options.stdout_, &options.stderr_})
        if (reads(settings, *stream))
            *stream = stdio::pipe();
    return options;
}

/// Begins to read what a worker prints, when the settings say so.
inline void read_output(const cluster_settings& settings,
                        const std::shared_ptr<worker_core>& worker, std::shared_ptr<output_hub> to,
                        const std::string& name)
{
    if (!settings.output.on())
        return;
    output_line by;
    by.worker = worker->id;
    by.slot = worker->slot;
    by.name = name;
    by.pid = worker->process.pid();
    worker->output = std::make_shared<output_reader>(std::move(by), std::move(to));
    if (worker->is_elsewhere)
        worker->output->ask_for_host(
            [weak = std::weak_ptr(worker)]
            {
                auto one = weak.lock();
                return one ? host_of(*one) : std::string();
            });
    if (reads(settings, settings.spawn.stdout_))
        worker->output->read(1, worker->process.out());
    if (reads(settings, settings.spawn.stderr_))
        worker->output->read(2, worker->process.err());
}

} // namespace brood::detail
