// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/remote/detail/secret.hpp>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace brood::detail
{

/// What a worker elsewhere is told by one line on its stdin: neither arguments nor environment,
/// which other users of its machine can read.
struct bootstrap
{
    static constexpr std::string_view mark = "brood-worker";
    static constexpr unsigned version = 2;

    secret shared = {};
    std::chrono::milliseconds within{30'000}; ///< To reach the primary, from the line on.
    std::chrono::milliseconds grace{10'000};  ///< To end, when its launcher is gone.
    std::uint64_t epoch = 0;                  ///< Counts the starts of this launcher.
    std::optional<secret> certificate;        ///< The mark of the primary's, for TLS.
    std::string worker;                       ///< "7.2": its number and slot; empty for none.
    std::vector<std::string> endpoints;       ///< "tcp:127.0.0.1:7000", "unix:/tmp/brood-1".

    friend bool operator==(const bootstrap&, const bootstrap&) = default;
};

/// One line with its end.
inline std::string to_line(const bootstrap& of)
{
    std::string line(bootstrap::mark);
    line += ' ' + std::to_string(bootstrap::version) + ' ' + to_hex(of.shared) + ' ' +
            std::to_string(of.within.count()) + ' ' + std::to_string(of.grace.count()) + ' ' +
            std::to_string(of.epoch) + ' ' + (of.certificate ? to_hex(*of.certificate) : "-") +
            ' ' + (of.worker.empty() ? "-" : of.worker);
    for (auto& each : of.endpoints)
        line += ' ' + each;
    return line + '\n';
}

/// Reads what to_line wrote, without the end; nothing for a line that is none of those. Throws
/// brood::error: version_mismatch, and malformed for one that is cut off.
inline std::optional<bootstrap> read_bootstrap(const std::string& line)
{
    std::istringstream words(line);
    std::string mark, hex, certificate;
    unsigned version = 0;
    if (!(words >> mark) || mark != bootstrap::mark)
        return std::nullopt;
    words >> version;
    if (version != bootstrap::version)
        throw error(errc::version_mismatch,
                    "its primary starts workers by version " + std::to_string(version) +
                        " of the bootstrap, and this program knows version " +
                        std::to_string(bootstrap::version) + ": build both with the same brood");
    bootstrap result;
    std::int64_t within = 0, grace = 0;
    words >> hex >> within >> grace >> result.epoch >> certificate >> result.worker;
    for (std::string each; words >> each;)
        result.endpoints.push_back(each);
    auto shared = secret_from_hex(hex);
    result.certificate = secret_from_hex(certificate);
    if (!shared || (!result.certificate && certificate != "-") || within <= 0 || grace < 0 ||
        result.worker.empty() || result.endpoints.empty())
        throw error(errc::malformed, "the line with the bootstrap is cut off");
    result.shared = *shared;
    result.within = std::chrono::milliseconds(within);
    result.grace = std::chrono::milliseconds(grace);
    if (result.worker == "-")
        result.worker.clear();
    return result;
}

/// What a later line on the stdin of a worker elsewhere says: send yourself this signal.
inline std::string signal_line(int number)
{
    return "signal " + std::to_string(number) + '\n';
}

/// Reads it, without the end; 0 for any other line.
inline int signal_of_line(std::string_view line)
{
    constexpr std::string_view mark = "signal ";
    int number = 0;
    if (!line.starts_with(mark))
        return 0;
    line.remove_prefix(mark.size());
    auto read = std::from_chars(line.data(), line.data() + line.size(), number);
    return read.ec == std::errc() && read.ptr == line.data() + line.size() ? number : 0;
}

} // namespace brood::detail
