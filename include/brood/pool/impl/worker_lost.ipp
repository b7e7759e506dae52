// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/pool/worker_lost.hpp>

#include <string_view>

namespace brood
{
namespace detail
{

inline std::string_view last_line_of(std::string_view text)
{
    while (!text.empty() && text.back() == '\n')
        text.remove_suffix(1);
    return text.substr(text.rfind('\n') + 1);
}

inline std::string tell_loss(const std::vector<exit_info>& attempts, const std::string& arguments)
{
    auto text = "the call with " + arguments + " lost its worker: ";
    if (attempts.size() > 1)
        text = "the call with " + arguments + " ended each of the " +
               std::to_string(attempts.size()) + " workers that tried it: ";
    std::string between;
    for (auto& each : attempts)
    {
        text += std::exchange(between, "; ") + to_string(each);
        auto last = last_line_of(each.last_output);
        if (!last.empty())
            text.append(", and had printed: ").append(last);
    }
    return text;
}

} // namespace detail

BROOD_INLINE worker_lost::worker_lost(std::vector<exit_info> attempts, std::string arguments,
                                      bool may_have_run)
    : error(errc::closed, detail::tell_loss(attempts, arguments)), attempts_(std::move(attempts)),
      arguments_(std::move(arguments)), may_have_run_(may_have_run)
{
}

} // namespace brood
