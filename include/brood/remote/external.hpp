// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/launcher.hpp>
#include <brood/remote/arrival.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace brood
{

/// Who may come to a primary that waits for workers, and for how long.
struct external_options
{
    /// A file with the token that workers prove to know: 64 hexadecimal digits, as `openssl rand
    /// -hex 32` prints them. It is made, for this user alone, when there is none. Empty for the
    /// file that BROOD_TOKEN_FILE names.
    std::string token_file = {};

    /// How many workers may be in at once. Those above are told so, and ask again every second.
    std::size_t workers = 64;

    /// How long a place waits for a worker; nothing for as long as it takes. One that has waited in
    /// vain counts as a worker that failed.
    std::optional<std::chrono::milliseconds> join_within = {};

    /// How long a worker goes on that has not heard of this process, or whose connection has ended.
    std::chrono::milliseconds orphan_grace{10'000};

    /// Whether bytes are encrypted, by TLS 1.3 with a certificate that follows from the token, as
    /// for an address that begins with "tls://". By default an address outside private networks,
    /// and one that stands for all of this machine, is refused without; false allows it.
    std::optional<bool> encrypt = {};

    /// Hears in a sentence where workers are awaited, and why somebody was sent away. By default
    /// that is printed to stderr, one line a second at most.
    std::function<void(const std::string&)> report = {};

    /// Throws std::invalid_argument, with the reason, for what cannot be meant.
    void check() const
    {
        auto refuse = [](const char* why)
        {
            throw std::invalid_argument(std::string("brood: external options: ") + why);
        };
        if (workers == 0)
            refuse("workers must be above zero");
        if (join_within && join_within->count() <= 0)
            refuse("join_within must be above zero");
        if (orphan_grace.count() < 0)
            refuse("orphan_grace must not be below zero");
    }
};

/// Waits for workers that somebody else starts, an orchestrator of containers say:
/// `brood::pool<fib> pool(brood::external("tcp://head:7000"))`.
///
/// `address` is one of this machine, "tls://0.0.0.0:7000" or "tls://[::]:7000" for any of it; with
/// port 0 the kernel chooses one, and name() tells it. It listens from here on, and lets in who
/// proves the token while a pool or cluster has a place. A worker is this same program with
/// BROOD_JOIN=tcp://head:7000, or tls://, and BROOD_TOKEN_FILE=/path in its environment:
/// brood::run() then goes to the primary, waiting for it as long as it takes, and runs what that
/// says. It ends with its connection, and whoever started it starts it again.
///
/// No signal reaches such a worker, how it ended is not known, and what it prints is seen where it
/// was started. Throws std::invalid_argument, with the cure, for an address or a token that is
/// none, and std::system_error when the file cannot be read or nothing can listen there.
std::shared_ptr<launcher> external(const std::string& address,
                                   const external_options& options = {});

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/external.ipp>
#endif
