// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace brood
{

/// A machine that is reached by ssh, and how many workers it takes.
struct remote_host
{
    std::string name;       ///< A name or alias as ssh(1) takes it, or an address; IPv6 without [].
    std::string user = {};  ///< Who to be there; empty for whom the configuration of ssh says.
    std::uint16_t port = 0; ///< Of its sshd; 0 for the one that the configuration of ssh says.
    std::size_t cpus = 0;   ///< How many workers it takes; 0 for one per processor it has.

    /// What ssh is told: "me@n3", without the port.
    std::string destination() const;

    friend bool operator==(const remote_host&, const remote_host&) = default;
};

/// The host as host_list reads it: "n1", "me@n3:8", "[::1]:4", "ssh://me@n3:22;cpus=4".
std::string to_string(const remote_host& host);

/// Machines by their names: `host_list{"n1", "n2:8", "me@n3"}`.
///
/// "n2:8" is a host that takes eight workers, "me@n3" one with another user, "[::1]:4" an IPv6
/// address. Where the port is no matter of ssh's configuration: "ssh://me@n3:2222;cpus=4". What
/// else ssh should know of a host, a jump host say, belongs into ~/.ssh/config. A text that cannot
/// be meant throws std::invalid_argument, with the text and what to write instead: also one that
/// ssh would take for an option, and a host that is there twice.
class host_list
{
public:
    /// No host.
    host_list() = default;

    host_list(std::vector<remote_host> hosts);

    // No std::initializer_list: g++ 12 refuses it beside a co_await.
    template <class... Texts>
    requires(sizeof...(Texts) > 0 && (std::convertible_to<Texts, std::string_view> && ...))
        host_list(Texts&&... texts)
        : host_list(read({std::string(std::string_view(std::forward<Texts>(texts)))...}))
    {
    }

    /// The same of one text, whose entries stand between commas, white space or line ends, as an
    /// environment variable or a file has them. From '#' to the end of its line is a comment.
    static host_list parse(std::string_view text);

    const std::vector<remote_host>& hosts() const noexcept { return hosts_; }

    bool empty() const noexcept { return hosts_.empty(); }

    std::size_t size() const noexcept { return hosts_.size(); }

    friend bool operator==(const host_list&, const host_list&) = default;

private:
    static std::vector<remote_host> read(const std::vector<std::string>& texts);

    std::vector<remote_host> hosts_;
};

/// "n1,n2:8,me@n3".
std::string to_string(const host_list& list);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/host_list.ipp>
#endif
