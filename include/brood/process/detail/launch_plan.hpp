// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/process/process_group.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace brood::detail
{

/// What a child does between its birth and its program, in this order. Each may fail.
enum class launch_step : int
{
    fork,
    session,
    group,
    descriptors,
    limits,
    cwd,
    ids,
    exec,
};

/// A start, worked out to the last byte before there is a child: the child itself must not
/// allocate.
struct launch_plan
{
    struct move
    {
        int source; // open in this process; for a number that is inherited, the number itself
        int target; // in the child
        bool keeps_mode = false; // whether it stays as it is, although programs expect it to block
    };

    struct limit
    {
        int resource;
        rlimit value;
    };

    std::vector<std::string> candidates; ///< Files to try in this order, the search in PATH done.
    std::vector<std::string> argv;
    std::vector<std::string> env;
    std::string cwd;         ///< Empty for none.
    std::vector<move> moves; ///< Each target once.
    process_group group;
    std::optional<uid_t> uid;
    std::optional<gid_t> gid;
    std::optional<std::vector<gid_t>> groups;
    std::vector<limit> limits;
    bool die_with_parent = false;

    // What prepare() makes of it for the child.
    std::vector<char*> argv_pointers;
    std::vector<char*> env_pointers;
    std::vector<const char*> candidate_pointers;
    std::vector<int> lifted; ///< Room for the child: the sources, out of the way of the targets.
    pid_t parent = 0;
    int highest_target = 2;

    /// Call it when everything above is set, and move the plan no more.
    void prepare()
    {
        std::sort(moves.begin(), moves.end(),
                  [](auto& left, auto& right) { return left.target < right.target; });
        argv_pointers = pointers(argv);
        env_pointers = pointers(env);
        for (auto& candidate : candidates)
            candidate_pointers.push_back(candidate.c_str());
        candidate_pointers.push_back(nullptr);
        lifted.resize(moves.size());
        parent = ::getpid();
        if (!moves.empty())
            highest_target = std::max(2, moves.back().target);
    }

    /// Whether the child is given a descriptor of this number.
    bool gives(int number) const noexcept
    {
        auto found = std::lower_bound(moves.begin(), moves.end(), number,
                                      [](auto& each, int wanted) { return each.target < wanted; });
        return found != moves.end() && found->target == number;
    }

private:
    static std::vector<char*> pointers(std::vector<std::string>& texts)
    {
        std::vector<char*> result;
        result.reserve(texts.size() + 1);
        for (auto& text : texts)
            result.push_back(text.data());
        result.push_back(nullptr);
        return result;
    }
};

/// Written by the child, read by its parent: the step that failed and why, or zero.
struct launch_failure
{
    launch_step step = launch_step::fork;
    int error_number = 0;
};

/// A child that has started, or what failed.
struct launched
{
    pid_t pid = -1;
    descriptor pidfd; ///< Empty on systems without.
    launch_failure failure;

    static launched failed(launch_step step, int error_number)
    {
        launched result;
        result.failure = {step, error_number};
        return result;
    }
};

} // namespace brood::detail
