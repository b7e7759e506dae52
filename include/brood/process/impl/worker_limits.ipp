// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/detail/confinement.hpp>
#include <brood/process/detail/limit_texts.hpp>
#include <brood/process/worker_limits.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

namespace brood
{
namespace detail
{

BROOD_INLINE void refuse_nonsense(const worker_limits& limits)
{
    auto refuse = [](const char* text)
    {
        throw std::invalid_argument(text);
    };
    if (limits.memory == 0u)
        refuse("limit memory: a process needs some");
    if (limits.processor_time && limits.processor_time->count() <= 0)
        refuse("limit processor_time: a process needs a second at least");
    if (!limits.filter || limits.filter->computes())
        return;
    constexpr std::size_t most = 4096; // BPF_MAXINSNS
    auto size = limits.filter->instructions().size();
    if (size == 0 || size > most)
        refuse("limit filter: a program has 1 to 4096 instructions");
}

/// The limit that a number of errno(3) speaks of; "" for none.
BROOD_INLINE std::string limit_behind(const worker_limits& limits, int error_number)
{
    switch (error_number)
    {
    case ENOMEM:
        return limits.memory ? memory_text(limits) : "";
    case EMFILE:
        return limits.open_files ? open_files_text(limits) : "";
    case EAGAIN:
        return limits.processes ? processes_text(limits) : "";
    case EFBIG:
        return limits.file_size ? file_size_text(limits) : "";
    case EROFS:
        return limits.read_only_files ? "files, which it may only read" : "";
    case ENETUNREACH:
        return limits.no_network ? "the network, of which it has none" : "";
    case EPERM:
        return limits.filter ? "system calls" : "";
    default:
        return "";
    }
}

} // namespace detail

BROOD_INLINE std::map<int, rlimit> worker_limits::resources() const
{
    std::map<int, rlimit> all;
    auto set = [&all](int resource, std::uint64_t soft, std::uint64_t hard)
    {
        rlimit now{};
        detail::call_for_resource(&::getrlimit, resource, &now);
        now.rlim_max = std::min<rlim_t>(hard, now.rlim_max);
        now.rlim_cur = std::min<rlim_t>(soft, now.rlim_max);
        all[resource] = now;
    };
    if (memory)
        set(RLIMIT_AS, *memory, *memory);
    if (processor_time)
    {
        auto seconds = static_cast<std::uint64_t>(processor_time->count());
        set(RLIMIT_CPU, seconds, seconds + 1);
    }
    if (open_files)
        set(RLIMIT_NOFILE, *open_files, *open_files);
    if (processes)
        set(RLIMIT_NPROC, *processes, *processes);
    if (file_size)
        set(RLIMIT_FSIZE, *file_size, *file_size);
    return all;
}

BROOD_INLINE std::vector<std::string> worker_limits::missing() const
{
    std::vector<std::string> texts;
    for (auto& each : detail::missing_limits(*this))
        texts.push_back(each.name + ": " + each.why);
    return texts;
}

BROOD_INLINE void worker_limits::check() const
{
    detail::refuse_nonsense(*this);
    if (best_effort)
        return;
    for (auto& each : detail::missing_limits(*this))
        throw_system_error(each.error_number, "limit " + each.name + ":", each.why);
}

BROOD_INLINE std::vector<std::string> worker_limits::enter() const
{
    check();
    detail::confinement confined(*this);
    if (best_effort)
        for (auto& each : detail::missing_limits(*this))
            confined.leave_out(each);
    return confined.enter();
}

BROOD_INLINE std::optional<std::string> broken_limit(const worker_limits& limits,
                                                     const exit_status& ended)
{
    std::string limit;
    // A process that ignores SIGXCPU is killed a second later.
    auto used = ended.user_time + ended.system_time;
    if (limits.processor_time &&
        (ended.signal == SIGXCPU || (ended.signal == SIGKILL && used > *limits.processor_time)))
        limit = detail::processor_time_text(limits);
    else if (limits.file_size && ended.signal == SIGXFSZ)
        limit = detail::file_size_text(limits);
    else if (limits.filter && ended.signal == SIGSYS)
        limit = "system calls";
    if (limit.empty())
        return std::nullopt;
    return "ended by its limit of " + limit;
}

BROOD_INLINE std::optional<std::string> broken_limit(const worker_limits& limits,
                                                     std::exception_ptr thrown)
{
    std::string limit;
    try
    {
        if (thrown)
            std::rethrow_exception(thrown);
    }
    catch (const std::bad_alloc&)
    {
        limit = detail::limit_behind(limits, ENOMEM);
    }
    catch (const std::system_error& error)
    {
        auto& category = error.code().category();
        if (category == std::system_category() || category == std::generic_category())
            limit = detail::limit_behind(limits, error.code().value());
    }
    catch (...)
    {
    }
    if (limit.empty())
        return std::nullopt;
    return "stopped by its limit of " + limit;
}

} // namespace brood
