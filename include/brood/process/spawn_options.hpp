// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/environment.hpp>
#include <brood/process/process_group.hpp>
#include <brood/process/stdio.hpp>
#include <brood/process/stop_policy.hpp>
#include <brood/wire/limits.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

namespace brood
{

class launcher;

/// What happens to a child when its handle is destroyed while it runs. Nothing of it blocks or
/// throws.
enum class on_drop
{
    stop,   ///< It is stopped by the stop policy in the background of the loop.
    kill,   ///< SIGKILL at once.
    detach, ///< It goes on, also when this process ends.
};

/// Everything that can be asked of the start of a child; each default is what most programs want.
///
/// What cannot be done is refused before anything is started, by the step that is named here.
struct spawn_options
{
    /// The directory it starts in; empty for that of this process. A missing one fails in step
    /// "cwd". A program or PATH that is relative begins there.
    std::string cwd = {};

    /// Its variables. Without a value, those this process has at the moment of the start. Its PATH
    /// is where a program without a slash is searched.
    std::optional<environment> env = std::nullopt;

    /// The name it is started under, argv[0]; empty for the name of the program, and for
    /// fork<entry>() that and the name of the entry: "/usr/bin/server: serve".
    std::string argv0 = {};

    /// For fork<entry>() and clusters: the file that is this program, where it cannot be found out:
    /// without /proc, and under what runs programs in its own way. Empty finds it out.
    std::string entry_program = {};

    /// Where its standard streams lead. Step "stdio". What the child inherits or is given for these
    /// three blocks, as programs expect it, and goes on not to block here if it did not: a pipe or
    /// terminal is opened once more for it; a socket that this process has as well stays as it is.
    stdio stdin_ = stdio::inherit();
    stdio stdout_ = stdio::inherit();
    stdio stderr_ = stdio::inherit();

    /// Further descriptors it is given, by number: `{{3, stdio::pipe()}, {4, std::move(opened)}}`.
    /// It gets these and the three above, and no other that this process has open, whatever flags
    /// it has. Step "stdio", or "descriptors" for a number above the limit of open files.
    std::map<int, stdio> descriptors = {};

    /// Its process group and session. Steps "group" and "session".
    process_group group = {};

    /// Who it runs as, saved and effective ids too. Changing them needs privileges; a refusal fails
    /// in step "ids".
    std::optional<uid_t> uid = std::nullopt;
    std::optional<gid_t> gid = std::nullopt;

    /// Its supplementary groups. When uid or gid is given and this is not, it has none; only who
    /// is not root and gives the ids that it has already keeps its own.
    std::optional<std::vector<gid_t>> groups = std::nullopt;

    /// Limits by resource, as RLIMIT_NOFILE: soft and hard. Step "limits". See setrlimit(2).
    std::map<int, rlimit> limits = {};

    /// On Linux it gets SIGKILL when this process ends, however that happens, even when it spins.
    /// A program that is set-user-ID or has file capabilities escapes, unless it is written with
    /// brood and was forked: that asks for it again. See PR_SET_PDEATHSIG in prctl(2).
    bool die_with_parent = false;

    /// After this time it is stopped by the stop policy.
    std::optional<std::chrono::milliseconds> timeout = std::nullopt;

    /// How it is stopped when the handle is dropped and when the time is over:
    /// `stop_policy(2s, SIGINT)` asks by SIGINT and kills two seconds later.
    stop_policy stop = {};

    /// What the end of the handle means for it while it runs.
    brood::on_drop on_drop = brood::on_drop::stop;

    /// For fork(): what its channel may hold.
    channel_limits channel = {};

    /// For fork(): who starts it, on another machine say; null for this process, here.
    std::shared_ptr<brood::launcher> launcher = nullptr;
};

} // namespace brood
