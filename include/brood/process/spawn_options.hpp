// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/environment.hpp>
#include <brood/process/stdio.hpp>
#include <brood/process/stop_policy.hpp>
#include <brood/wire/limits.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace brood
{

/// What happens to a child when its handle is destroyed while it runs. Nothing of it blocks or
/// throws.
enum class on_drop
{
    stop,   ///< It is stopped by the stop policy in the background of the loop.
    kill,   ///< SIGKILL at once.
    detach, ///< It goes on, also when this process ends.
};

/// Everything that can be asked of the start of a child; each default is what most programs want.
struct spawn_options
{
    /// The directory it starts in; empty for that of this process. A missing one fails in step
    /// "cwd".
    std::string cwd = {};

    /// Its variables. Without a value, those this process has at the moment of the start. Its PATH
    /// is where a program without a slash is searched.
    std::optional<environment> env = std::nullopt;

    /// The name it is started under, argv[0]; empty for the name of the program.
    std::string argv0 = {};

    stdio stdin_ = stdio::inherit();
    stdio stdout_ = stdio::inherit();
    stdio stderr_ = stdio::inherit();

    /// Further descriptors it is given, by number. It gets these and the three above, and no other
    /// that this process has open, whatever flags it has.
    std::map<int, stdio> descriptors = {};

    /// Starts a new session without a terminal: Ctrl-C does not reach it. See setsid(2).
    bool new_session = false;

    /// The process group it joins; 0 for one of its own. See setpgid(2).
    std::optional<pid_t> process_group = std::nullopt;

    /// Who it runs as. Changing them needs privileges; a refusal fails in step "ids".
    std::optional<uid_t> uid = std::nullopt;
    std::optional<gid_t> gid = std::nullopt;

    /// Its supplementary groups. When uid or gid is given and this is not, it has none.
    std::optional<std::vector<gid_t>> groups = std::nullopt;

    /// Limits by resource, as RLIMIT_NOFILE: soft and hard. See setrlimit(2).
    std::map<int, rlimit> limits = {};

    /// The signal it gets when the thread that started it ends, 0 for none: on Linux it then cannot
    /// outlive a program whose only thread starts it, even when it spins. See PR_SET_PDEATHSIG in
    /// prctl(2).
    int parent_death_signal = 0;

    /// After this time it is stopped by the stop policy.
    std::optional<std::chrono::milliseconds> timeout = std::nullopt;

    /// How it is stopped when the handle is dropped and when the time is over.
    stop_policy stop = {};

    brood::on_drop on_drop = brood::on_drop::stop;

    /// For fork(): what its channel may hold.
    channel_limits channel = {};
};

} // namespace brood
