// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/detail/letters.hpp>
#include <brood/remote/host_list.hpp>

#include <charconv>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brood
{
namespace detail
{

/// Reads one host. Every refusal says the whole text and what to write instead.
class host_reader
{
public:
    explicit host_reader(std::string_view text) : whole_(text) {}

    remote_host read()
    {
        constexpr std::string_view scheme = "ssh://";
        if (whole_.substr(0, scheme.size()) == scheme)
            read_url(whole_.substr(scheme.size()));
        else
            read_short(whole_);
        return std::move(host_);
    }

private:
    [[noreturn]] void refuse(const std::string& why) const
    {
        throw std::invalid_argument("brood: host \"" + std::string(whole_) + "\": " + why);
    }

    std::size_t number(std::string_view text, std::size_t most, const std::string& what) const
    {
        std::size_t value = 0;
        auto end = text.data() + text.size();
        auto [stop, failed] = std::from_chars(text.data(), end, value);
        if (failed != std::errc() || stop != end || value == 0 || value > most)
            refuse("\"" + std::string(text) + "\" is not " + what + ", a number from 1 to " +
                   std::to_string(most));
        return value;
    }

    void read_cpus(std::string_view text)
    {
        host_.cpus = number(text, most_cpus, "how many workers it takes");
    }

    /// "user@host", and what stands behind the colon.
    std::optional<std::string_view> read_destination(std::string_view text)
    {
        if (auto at = text.rfind('@'); at != text.npos)
        {
            host_.user = text.substr(0, at);
            text.remove_prefix(at + 1);
            check_word(host_.user, "user", "");
        }
        std::optional<std::string_view> behind;
        if (!text.empty() && text.front() == '[')
        {
            auto close = text.find(']');
            if (close == text.npos)
                refuse("the ] behind the address is missing, as in [::1]:4");
            host_.name = text.substr(1, close - 1);
            text.remove_prefix(close + 1);
            if (!text.empty() && text.front() != ':')
                refuse("behind the ] there can only be a colon, as in [::1]:4");
            if (!text.empty())
                behind = text.substr(1);
            check_word(host_.name, "address", ":.%");
            if (host_.name.find(':') == std::string::npos)
                refuse("[] are for IPv6 addresses: write " + host_.name);
            return behind;
        }
        auto colon = text.find(':');
        if (colon != text.npos && text.find(':', colon + 1) != text.npos)
            refuse("an IPv6 address stands in [], as in [::1]:4");
        host_.name = text.substr(0, colon);
        check_word(host_.name, "host", ".");
        if (colon != text.npos)
            behind = text.substr(colon + 1);
        return behind;
    }

    void read_short(std::string_view text)
    {
        if (text.find(';') != text.npos)
            refuse("options are for the long form: write ssh://" + std::string(text));
        if (auto behind = read_destination(text))
            read_cpus(*behind);
    }

    void read_url(std::string_view text)
    {
        auto options = text.find(';');
        auto named = text.substr(0, options);
        if (!named.empty() && named.back() == '/')
            named.remove_suffix(1);
        if (auto port = read_destination(named))
            host_.port =
                static_cast<std::uint16_t>(number(*port, most_port, "the port of its sshd"));
        while (options != text.npos)
        {
            text.remove_prefix(options + 1);
            options = text.find(';');
            auto option = text.substr(0, options);
            constexpr std::string_view cpus = "cpus=";
            if (option.substr(0, cpus.size()) != cpus)
                refuse("\"" + std::string(option) + "\" is no option; there is cpus=4");
            read_cpus(option.substr(cpus.size()));
        }
    }

    /// ssh refuses the same characters, and would take a leading '-' for an option.
    void check_word(std::string_view word, const std::string& what, std::string_view further) const
    {
        if (word.empty())
            refuse("the " + what + " is missing");
        if (word.front() == '-')
            refuse("a " + what + " cannot begin with '-'");
        for (auto one : word)
        {
            auto plain = is_letter_or_digit(one) || one == '-' || one == '_' ||
                         static_cast<unsigned char>(one) >= 0x80;
            auto of_user = what == "user" && std::string_view("@.+=$").find(one) != word.npos;
            if (!plain && !of_user && further.find(one) == further.npos)
                refuse("a " + what + " has no " +
                       (one > ' ' && one < 0x7f ? "'" + std::string(1, one) + "'"
                                                : "character " + std::to_string(int{one})) +
                       "; what ssh needs beyond a name belongs into ~/.ssh/config");
        }
    }

    static constexpr std::size_t most_cpus = 65'536;
    static constexpr std::size_t most_port = std::numeric_limits<std::uint16_t>::max();

    std::string_view whole_;
    remote_host host_;
};

inline bool is_same_machine(const remote_host& one, const remote_host& other)
{
    return one.name == other.name && one.user == other.user && one.port == other.port;
}

} // namespace detail

BROOD_INLINE std::string remote_host::destination() const
{
    return user.empty() ? name : user + '@' + name;
}

BROOD_INLINE std::string to_string(const remote_host& host)
{
    auto text = host.user.empty() ? std::string() : host.user + '@';
    text += host.name.find(':') == std::string::npos ? host.name : '[' + host.name + ']';
    if (host.port != 0)
        text = "ssh://" + text + ':' + std::to_string(host.port);
    if (host.cpus != 0)
        text += (host.port != 0 ? ";cpus=" : ":") + std::to_string(host.cpus);
    return text;
}

BROOD_INLINE host_list::host_list(std::vector<remote_host> hosts) : hosts_(std::move(hosts))
{
    for (auto host = hosts_.begin(); host != hosts_.end(); ++host)
        for (auto before = hosts_.begin(); before != host; ++before)
            if (detail::is_same_machine(*before, *host))
                throw std::invalid_argument(
                    "brood: host \"" + to_string(*host) +
                    "\": it is there twice; the number of its workers stands behind it, as in " +
                    host->name + ":2");
}

BROOD_INLINE std::vector<remote_host> host_list::read(const std::vector<std::string>& texts)
{
    std::vector<remote_host> hosts;
    hosts.reserve(texts.size());
    for (auto& text : texts)
        hosts.push_back(detail::host_reader(text).read());
    return hosts;
}

BROOD_INLINE host_list host_list::parse(std::string_view text)
{
    std::vector<std::string> texts(1);
    bool comment = false;
    for (auto one : text)
    {
        comment = (comment || one == '#') && one != '\n';
        if (!comment && std::string_view(", \t\r\n").find(one) == std::string_view::npos)
            texts.back() += one;
        else if (!texts.back().empty())
            texts.emplace_back();
    }
    if (texts.back().empty())
        texts.pop_back();
    return host_list(read(texts));
}

BROOD_INLINE std::string to_string(const host_list& list)
{
    std::string text;
    for (auto& host : list.hosts())
    {
        if (!text.empty())
            text += ',';
        text += to_string(host);
    }
    return text;
}

} // namespace brood
