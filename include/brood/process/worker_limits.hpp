// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/exit_status.hpp>
#include <brood/process/sandbox.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

namespace brood
{

/// What a process may still do that works on input which nobody trusts. Each default is no limit,
/// but for the privileges.
///
///     brood::worker_limits limits;
///     limits.memory = 256 << 20;
///     limits.filter = brood::sandbox::compute();
///     limits.check();                               // here, before anything is started
///     auto child = brood::fork<decode>(limits);     // it begins with limits.enter()
///
/// A worker enters them by itself, when its channel is open and before it looks at any input: what
/// it holds by then, it keeps. They hold for ever, and for the processes that it starts.
struct worker_limits
{
    /// Bytes of addresses, used or not: RLIMIT_AS. Memory beyond is refused: std::bad_alloc.
    std::optional<std::uint64_t> memory = std::nullopt;

    /// Of the whole life of the process, all of its threads together: RLIMIT_CPU. It is ended by
    /// SIGXCPU, and by SIGKILL a second later if it does not obey.
    std::optional<std::chrono::seconds> processor_time = std::nullopt;

    /// Descriptors, those that it holds included: RLIMIT_NOFILE. Opening one more fails: EMFILE.
    std::optional<std::uint32_t> open_files = std::nullopt;

    /// Processes and threads of its user, all of them together, when it starts one more:
    /// RLIMIT_NPROC. That fails: EAGAIN. Root is exempt from it, so root has to name a uid.
    std::optional<std::uint32_t> processes = std::nullopt;

    /// Bytes of any file that it writes: RLIMIT_FSIZE. It is ended by SIGXFSZ; where that is
    /// ignored the write fails: EFBIG.
    std::optional<std::uint64_t> file_size = std::nullopt;

    /// It gives up its privileges (capabilities, those of root included) and gets none by starting
    /// a program that is set-user-ID: no_new_privs. Without this a root could take back all limits;
    /// the four below imply it.
    bool no_new_privileges = true;

    /// No network: one of its own, without any interface, where user namespaces are allowed; else
    /// socket(2) gives local sockets alone, and ENETUNREACH for others. Sockets that it holds stay.
    bool no_network = false;

    /// It may read files as before, and write, make, remove and rename none: a mount namespace, and
    /// Landlock, or the one that there is. Landlock alone still lets it change the mode, owner and
    /// times of its own files, and its error is EACCES, not EROFS. What it has open, and devices,
    /// can be written.
    bool read_only_files = false;

    /// The system calls that it may make.
    std::optional<sandbox> filter = std::nullopt;

    /// Who it becomes, as in spawn_options; without supplementary groups. Another one than it is
    /// needs privileges.
    std::optional<uid_t> uid = std::nullopt;
    std::optional<gid_t> gid = std::nullopt;

    /// What this system cannot give is left out, not refused.
    bool best_effort = false;

    /// The limits of resources, as spawn_options::limits takes them: for programs that know nothing
    /// of brood. None is above the hard limit of this process.
    std::map<int, rlimit> resources() const;

    /// What this system cannot give to this process, each as "read_only_files: why". May start a
    /// process for a moment.
    std::vector<std::string> missing() const;

    /// Throws std::invalid_argument for a limit that makes no sense; and std::system_error
    /// (ENOTSUP, EPERM) for one that this system cannot give, with its name, unless best_effort is
    /// said.
    void check() const;

    /// Puts this process under these limits, for ever, and gives what was left out by best_effort.
    ///
    /// Throws as check(), and std::system_error with the name of the limit that failed: ENOMEM when
    /// the process has more memory already; EBUSY when it has several threads, as the kernel limits
    /// threads one by one. After a throw some limits may hold and others not: end.
    std::vector<std::string> enter() const;

    template <class Archive>
    void serialize(Archive& archive);

    friend bool operator==(const worker_limits&, const worker_limits&) = default;
};

/// Which limit ended a process: "ended by its limit of processor time (2 s)". Nothing when it ended
/// for another reason, or for one that its end does not tell: a want of memory is an exception
/// first.
std::optional<std::string> broken_limit(const worker_limits& limits, const exit_status& ended);

/// Which limit an exception comes from, in the process that has entered them: "stopped by its limit
/// of memory (256 MiB)". By std::bad_alloc and by the error number: EMFILE, EAGAIN, EFBIG, EROFS,
/// ENETUNREACH, EPERM. Nothing for others.
std::optional<std::string> broken_limit(const worker_limits& limits, std::exception_ptr thrown);

namespace detail
{

// Optionals, without asking everybody for cereal's header of them.
template <class Wire, class Archive, class Value>
void archive_optional(Archive& archive, std::optional<Value>& value)
{
    bool there = value.has_value();
    Wire plain{};
    if (there)
        plain = static_cast<Wire>(*value);
    archive(there, plain);
    value = there ? std::optional<Value>(static_cast<Value>(plain)) : std::nullopt;
}

} // namespace detail

template <class Archive>
void worker_limits::serialize(Archive& archive)
{
    std::optional<std::int64_t> seconds;
    if (processor_time)
        seconds = processor_time->count();
    detail::archive_optional<std::uint64_t>(archive, memory);
    detail::archive_optional<std::int64_t>(archive, seconds);
    detail::archive_optional<std::uint32_t>(archive, open_files);
    detail::archive_optional<std::uint32_t>(archive, processes);
    detail::archive_optional<std::uint64_t>(archive, file_size);
    detail::archive_optional<std::uint32_t>(archive, uid);
    detail::archive_optional<std::uint32_t>(archive, gid);
    detail::archive_optional<sandbox>(archive, filter);
    archive(no_new_privileges, no_network, read_only_files, best_effort);
    if (seconds)
        processor_time = std::chrono::seconds(*seconds);
    else
        processor_time.reset();
}

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/worker_limits.ipp>
#endif
