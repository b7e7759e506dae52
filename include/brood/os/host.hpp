// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <chrono>
#include <string>

namespace brood::os
{

/// The name of this machine in its network, without a domain on most.
///
/// Follows gethostname(3) and Node's os.hostname(): https://nodejs.org/api/os.html#oshostname
std::string hostname();

/// The operating system in lower case: "linux", "darwin", "freebsd", "openbsd", "netbsd", "sunos".
///
/// Follows Node's os.platform(): https://nodejs.org/api/os.html#osplatform
std::string platform();

/// The operating system as it names itself: "Linux", "Darwin", "FreeBSD".
///
/// Follows uname(3) and Node's os.type(): https://nodejs.org/api/os.html#ostype
std::string type();

/// The release of the kernel, like "6.1.0-18-amd64".
///
/// Follows uname(3) and Node's os.release(): https://nodejs.org/api/os.html#osrelease
std::string release();

/// The build of the kernel, in its own words, like "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1".
///
/// Follows uname(3) and Node's os.version(): https://nodejs.org/api/os.html#osversion
std::string version();

/// The hardware, in the words of the kernel: "x86_64", "aarch64".
///
/// Follows uname(3) and Node's os.machine(): https://nodejs.org/api/os.html#osmachine
std::string machine();

/// What this program was compiled for, in Node's words: "x64", "arm64", "ia32", "arm", "riscv64",
/// "ppc64", "s390x", "loong64", "mips", "mipsel"; the kernel's word for anything else.
///
/// Follows Node's os.arch(): https://nodejs.org/api/os.html#osarch
std::string arch();

/// The order of bytes in a number: "LE" for the lowest first, or "BE".
///
/// Follows Node's os.endianness(): https://nodejs.org/api/os.html#osendianness
std::string endianness();

/// How long ago the machine started, or the container that this process is in, when that tells.
///
/// Follows proc_uptime(5) and Node's os.uptime(): https://nodejs.org/api/os.html#osuptime
std::chrono::milliseconds uptime();

} // namespace brood::os

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/os/impl/host.ipp>
#endif
