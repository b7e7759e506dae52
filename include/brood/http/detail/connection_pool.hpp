// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>
#include <brood/http/detail/text.hpp>
#include <brood/http/fields.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace brood::http::detail
{

/// How long a connection is kept behind a response with these fields: a second less than the server
/// says, which may close at any time then, as Node's agent does.
inline std::chrono::milliseconds time_to_keep(const fields& headers,
                                              std::chrono::milliseconds at_most)
{
    constexpr std::string_view name = "timeout=";
    auto said = headers.find("Keep-Alive").value_or("");
    auto at = said.find(name);
    if (at == said.npos)
        return at_most;
    said.remove_prefix(at + name.size());
    auto seconds = digits<std::uint32_t>(trimmed(cut(said, ',')));
    if (!seconds)
        return at_most;
    return std::min<std::chrono::milliseconds>(at_most, std::chrono::seconds(*seconds) -
                                                            std::chrono::seconds(1));
}

/// Connections that wait for their next request, by where they lead.
///
/// They are bare descriptors, which no loop knows: nothing here keeps one from ending, or minds
/// when it has ended.
class connection_pool
{
public:
    using clock = std::chrono::steady_clock;

    explicit connection_pool(std::size_t most) : most_(most) {}

    std::size_t size() const
    {
        std::size_t count = 0;
        for (auto& [key, kept] : kept_)
            count += kept.size();
        return count;
    }

    void clear() { kept_.clear(); }

    /// The connection that was used last and that the server has not closed; none when there is no
    /// such.
    descriptor take(const std::string& key)
    {
        forget_old();
        auto found = kept_.find(key);
        while (found != kept_.end() && !found->second.empty())
        {
            auto last = std::move(found->second.back().connection);
            found->second.pop_back();
            if (is_silent(last.get()))
                return last;
        }
        return {};
    }

    /// Keeps a connection for so long; the oldest one of too many is closed.
    void put(const std::string& key, descriptor connection, clock::duration time)
    {
        forget_old();
        if (most_ == 0 || time <= clock::duration::zero())
            return;
        auto& kept = kept_[key];
        if (kept.size() >= most_)
            kept.erase(kept.begin());
        kept.push_back({std::move(connection), clock::now() + time});
    }

private:
    struct idle
    {
        descriptor connection;
        clock::time_point until;
    };

    // Something to read is the end, or what nobody has asked for.
    static bool is_silent(int number)
    {
        char byte = 0;
        auto count = retry([&] { return ::recv(number, &byte, 1, MSG_PEEK | MSG_DONTWAIT); });
        return count == -1 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

    void forget_old()
    {
        auto now = clock::now();
        for (auto each = kept_.begin(); each != kept_.end();)
        {
            std::erase_if(each->second, [now](const idle& old) { return old.until <= now; });
            each = each->second.empty() ? kept_.erase(each) : std::next(each);
        }
    }

    std::size_t most_;
    std::unordered_map<std::string, std::vector<idle>> kept_;
};

} // namespace brood::http::detail
