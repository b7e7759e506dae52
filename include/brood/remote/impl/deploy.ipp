// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/exec.hpp>
#include <brood/remote/deploy.hpp>
#include <brood/remote/detail/letters.hpp>
#include <brood/remote/detail/processor_count.hpp>
#include <brood/remote/detail/said_behind.hpp>
#include <brood/remote/detail/ssh_complaint.hpp>
#include <brood/remote/launch_command.hpp>
#include <brood/remote/ssh_command.hpp>

#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace brood
{
namespace detail
{

/// The system of this machine as `uname -s -m` says it: "Linux x86_64".
inline std::string own_system()
{
    utsname name{};
    ::uname(&name);
    return std::string(name.sysname) + ' ' + name.machine;
}

/// Brings one program to one host: the texts for sh there, and what its answers mean.
class deployer
{
public:
    deployer(ssh_options options, remote_host host, program_file program, deploy_options how)
        : options_(std::move(options)), host_(std::move(host)), program_(std::move(program)),
          how_(std::move(how))
    {
        if (!how_.folder.empty() && how_.folder.front() != '/')
            throw std::invalid_argument("brood: deploy: the folder " + how_.folder +
                                        " is not absolute");
    }

    const program_file& program() const noexcept { return program_; }

    /// What is left of the time for all of it.
    std::chrono::milliseconds left() const
    {
        auto rest = begin_ + how_.limit - std::chrono::steady_clock::now();
        auto least = std::chrono::milliseconds(1);
        return std::max(least, std::chrono::duration_cast<std::chrono::milliseconds>(rest));
    }

    launch_command command(const std::string& script) const
    {
        return ssh_command(options_, host_, script, how_.control_path);
    }

    [[noreturn]] void refuse(const std::string& step, const std::string& why) const
    {
        auto named = host_;
        named.cpus = 0; // which is no matter here
        throw deploy_error(to_string(named), step, why);
    }

    /// Says the system, the processors, where the program is or will be, and what is there.
    std::string look() const
    {
        return "echo; echo \"brood-system: $(uname -s -m)\"; "
               "echo \"brood-cpus: $(" +
               processor_count_text() + ")\"; " + place() +
               "echo \"brood-path: $p\"; "
               "if [ -f \"$p\" ] && [ -x \"$p\" ]; then "
               "echo \"brood-there: $(cksum <\"$p\")\"; else echo brood-there: none; fi";
    }

    /// Takes the program from stdin. A name of its own until all of it has come and is right.
    std::string take() const
    {
        return "umask 077; " + place() +
               "n=$p.new.$$; trap 'rm -f \"$n\"; rmdir \"${p%/*}\" 2>/dev/null' EXIT; "
               "trap 'exit 9' HUP INT TERM; mkdir -p \"${p%/*}\" && cat >\"$n\" && chmod 700 "
               "\"$n\" || exit 8; "
               "[ \"$(cksum <\"$n\")\" = '" +
               checksum() + "' ] || exit 7; mv -f \"$n\" \"$p\" || exit 8";
    }

    /// What look() found: whether the program is there. Throws for a host that cannot run it.
    bool is_there(const exec_result& result)
    {
        auto system = said_behind(result.out, "brood-system: ");
        if (!result.success() || system.empty())
            refuse("connect", complaint(result));
        if (system != own_system())
            refuse("architecture", "it is " + system + ", the program is for " + own_system() +
                                       ": build one there and leave `copy` out");
        // A path may hold a line break: what is known here is not read.
        path_ = !how_.copy            ? program_.path
                : how_.folder.empty() ? said_behind(result.out, "brood-path: ")
                                      : how_.folder + '/' + program_.hash + '/' + name();
        auto cpus = said_behind(result.out, "brood-cpus: ");
        std::from_chars(cpus.data(), cpus.data() + cpus.size(), cpus_);
        auto there = said_behind(result.out, "brood-there: ");
        if (there == checksum())
            return true;
        if (!how_.copy)
            refuse("build", there == "none" ? path_ + " is not there: install it, or let it be "
                                                      "copied"
                                            : path_ + " there is another build than the one here: "
                                                      "install the same, or let it be copied");
        return false;
    }

    void check_taken(const exec_result& result) const
    {
        constexpr int cut_off = 7;
        if (result.success())
            return;
        if (result.status.code == cut_off && result.limit == exec_limit::none)
            refuse("copy", "other bytes came than were sent: " + program_.path +
                               " has changed meanwhile, or the connection broke");
        if (result.err.find("No space left") != std::string::npos)
            refuse("copy", "the disk there is full: make room for " +
                               std::to_string(program_.size) + " bytes at " + path_ +
                               ", or name another folder (" + last_line(result.err) + ")");
        refuse("copy", complaint(result));
    }

    deployment done(bool copied) const { return deployment{path_, cpus_, copied}; }

private:
    /// Sets p to the path there.
    std::string place() const
    {
        if (!how_.copy)
            return "p=" + shell_quoted(program_.path) + "; ";
        auto folder = how_.folder.empty() ? "\"${XDG_CACHE_HOME:-$HOME/.cache}/brood\""
                                          : shell_quoted(how_.folder);
        return "p=" + folder + "/" + program_.hash + "/" + name() + "; ";
    }

    /// Of the copy: one that can be typed, for whoever reads the process table.
    std::string name() const
    {
        auto made = program_.path.substr(program_.path.rfind('/') + 1);
        for (auto& one : made)
            one = is_letter_or_digit(one) || one == '.' || one == '-' ? one : '_';
        return made;
    }

    std::string checksum() const
    {
        return std::to_string(program_.checksum) + ' ' + std::to_string(program_.size);
    }

    std::string complaint(const exec_result& result) const
    {
        if (result.limit == exec_limit::timeout)
            return "it took longer than " + std::to_string(how_.limit.count()) + " s";
        auto why = ssh_complaint(result.status.code, result.err);
        return why ? *why : to_string(result);
    }

    ssh_options options_;
    remote_host host_;
    program_file program_;
    deploy_options how_;
    std::string path_;
    std::size_t cpus_ = 0;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

} // namespace detail

BROOD_INLINE task<deployment> deploy(ssh_options options, remote_host host, program_file program,
                                     deploy_options how)
{
    detail::deployer work(std::move(options), std::move(host), std::move(program), std::move(how));
    auto looking = work.command(work.look());
    auto limited = exec_options().timeout(work.left());
    auto found = co_await exec_file(looking.program, looking.args, limited);
    auto there = work.is_there(found);
    if (there)
        co_return work.done(false);
    auto taking = work.command(work.take());
    spawn_options start;
    start.stdin_ = stdio::read(work.program().path);
    exec_options sending(start);
    sending.timeout(work.left());
    auto taken = co_await exec_file(taking.program, taking.args, sending);
    work.check_taken(taken);
    co_return work.done(true);
}

BROOD_INLINE task<deployment> deploy(ssh_options options, remote_host host, program_file program)
{
    return deploy(std::move(options), std::move(host), std::move(program), deploy_options());
}

} // namespace brood
