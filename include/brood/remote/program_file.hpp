// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstdint>
#include <string>

namespace brood
{

/// A program of this machine, as it is told from others: read once, for any number of hosts.
struct program_file
{
    std::string path;           ///< Where it is here.
    std::uint64_t size = 0;     ///< In bytes.
    std::uint32_t checksum = 0; ///< As cksum(1) computes it, which every POSIX system has.
    std::string hash = {};      ///< Of its content, in hexadecimal: another build has another one.

    /// Reads a file. Throws std::system_error when it cannot, and std::invalid_argument when it is
    /// empty or no file.
    static program_file read(const std::string& path);

    /// The program that runs here: /proc/self/exe.
    static program_file self();

    friend bool operator==(const program_file&, const program_file&) = default;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/program_file.ipp>
#endif
