// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/ssh_command.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood
{
namespace detail
{

/// What all of our ssh say: who is meant, that nobody can be asked, and that silence has an end.
class ssh_words
{
public:
    explicit ssh_words(const ssh_options& options) : program_(options.program)
    {
        options.check();
        words_ = options.extra;
        if (!options.config_file.empty())
            add("-F").add(options.config_file);
        // No terminal: it would change what is written and read.
        add("-T");
        option("BatchMode", "yes");
        option("ConnectTimeout", std::to_string(options.connect_timeout.count()));
        option("ServerAliveInterval", std::to_string(options.alive_interval.count()));
        option("ServerAliveCountMax", std::to_string(options.alive_count));
        option("EscapeChar", "none");
        option("ForwardX11", "no");
    }

    ssh_words& add(std::string word)
    {
        words_.push_back(std::move(word));
        return *this;
    }

    ssh_words& option(const std::string& name, const std::string& value)
    {
        return add("-o").add(name + '=' + value);
    }

    ssh_words& control(const std::string& path, const std::string& master)
    {
        // ssh replaces what follows a % and would break at a space.
        if (path.find_first_of("% \t\"\n") != std::string::npos || path.size() >= 90)
            throw std::invalid_argument("brood: ssh cannot use \"" + path +
                                        "\" for a control "
                                        "socket: its path has fewer than 90 bytes, no space and "
                                        "no %");
        option("ControlMaster", master).option("ControlPersist", "no");
        return option("ControlPath", path.empty() ? "none" : path);
    }

    ssh_words& way_back(const std::optional<reverse_forward>& way)
    {
        // The forwards that somebody configured for a login would be there once for each worker.
        if (!way)
            return option("ClearAllForwardings", "yes");
        // A worker that has no way back is of no use: better no ssh than that.
        return option("ExitOnForwardFailure", "yes").add("-R").add(to_string(*way));
    }

    launch_command to(const remote_host& host)
    {
        if (host.port != 0)
            add("-p").add(std::to_string(host.port));
        add("--").add(host.destination());
        return launch_command{program_, arguments(words_), {}};
    }

private:
    std::string program_;
    std::vector<std::string> words_;
};

inline launch_command ssh_running(const ssh_options& options, const remote_host& host,
                                  std::string script, const std::string& control_path,
                                  const std::optional<reverse_forward>& way_back)
{
    ssh_words words(options);
    words.control(control_path, "no").way_back(way_back);
    auto command = words.to(host);
    auto list = command.args.list();
    list.push_back(std::move(script));
    command.args = arguments(std::move(list));
    return command;
}

} // namespace detail

BROOD_INLINE launch_command ssh_command(const ssh_options& options, const remote_host& host,
                                        const worker_program& program,
                                        const std::string& control_path,
                                        const std::optional<reverse_forward>& way_back)
{
    return detail::ssh_running(options, host, remote_script(program), control_path, way_back);
}

BROOD_INLINE launch_command ssh_command(const ssh_options& options, const remote_host& host,
                                        std::string_view text_for_sh,
                                        const std::string& control_path,
                                        const std::optional<reverse_forward>& way_back)
{
    return detail::ssh_running(options, host, remote_script(text_for_sh), control_path, way_back);
}

BROOD_INLINE launch_command ssh_master(const ssh_options& options, const remote_host& host,
                                       const std::string& control_path,
                                       const std::optional<reverse_forward>& way_back)
{
    detail::ssh_words words(options);
    words.control(control_path, "yes").way_back(way_back).add("-N");
    return words.to(host);
}

BROOD_INLINE launch_command ssh_control(const ssh_options& options, const remote_host& host,
                                        const std::string& control_path, std::string what,
                                        const std::optional<reverse_forward>& way_back)
{
    detail::ssh_words words(options);
    words.control(control_path, "no").way_back(way_back).add("-O").add(std::move(what));
    return words.to(host);
}

} // namespace brood
