// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/cluster/exit_info.hpp>

#include <string>
#include <utility>
#include <vector>

namespace brood
{

/// A call of a pool whose worker ended before it had its result.
///
/// Its code is errc::closed. The text names the worker and how it ended, the arguments, and the
/// last line that the worker printed.
class worker_lost : public error
{
public:
    worker_lost(std::vector<exit_info> attempts, std::string arguments, bool may_have_run);

    /// The end of the worker, of the last one when there were several: its exit status, why
    /// (`cause`: a signal, out of memory, a limit, …; `reason` names the limit), and the last that
    /// it printed.
    const exit_info& ended() const noexcept { return attempts_.back(); }

    /// The end of each worker that had begun this call, in their order. With more than one, the
    /// call is poison: it ended every worker that tried it.
    const std::vector<exit_info>& attempts() const noexcept { return attempts_; }

    /// The arguments of the call, for people: "(35, \"a text\", …)".
    const std::string& arguments() const noexcept { return arguments_; }

    /// Whether the function had begun, so that it may have done what it does.
    bool may_have_run() const noexcept { return may_have_run_; }

private:
    std::vector<exit_info> attempts_;
    std::string arguments_;
    bool may_have_run_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/pool/impl/worker_lost.ipp>
#endif
