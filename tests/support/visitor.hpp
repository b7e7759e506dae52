// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/loop.hpp>
#include <brood/remote/detail/far_address.hpp>
#include <brood/remote/detail/handshake.hpp>
#include <brood/remote/detail/stranger.hpp>

#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <sys/socket.h>
#include <vector>

// Whoever knocks where a primary waits for workers, and what he says.

namespace brood::test
{

/// A connection to an endpoint, as a worker or somebody else has one.
inline std::shared_ptr<detail::stranger> visitor(const std::string& endpoint)
{
    auto address = detail::read_address(endpoint);
    REQUIRE(address);
    descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    check(::connect(socket.get(), address->get(), address->size), "connect");
    ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
    return std::make_shared<detail::stranger>(default_executor(), std::move(socket),
                                              std::chrono::seconds(10));
}

/// What was said so far.
struct visit
{
    visit() = default;

    detail::knock first;
    detail::nonces both;
    bool primary_knows = false;
};

/// Knocks with what is in `so_far.first`, and hears the answer; false when the other side hangs up.
inline task<bool> knock_by(std::shared_ptr<detail::stranger> by, detail::secret with, visit& so_far)
{
    using detail::stranger;
    so_far.both.of_worker = so_far.first.nonce;
    auto bytes = detail::to_bytes(so_far.first);
    auto whole = co_await stranger::write(by, bytes);
    detail::proof theirs{};
    if (whole)
        whole = co_await stranger::read(by, so_far.both.of_primary);
    if (whole)
        whole = co_await stranger::read(by, theirs);
    so_far.primary_knows = whole && detail::is_same(theirs, so_far.both.of_the_primary(with));
    co_return whole;
}

/// The first half of the handshake with a secret; false when the other side hangs up.
inline task<bool> begin_visit(std::shared_ptr<detail::stranger> by, detail::secret with,
                              visit& so_far)
{
    so_far.first.name = detail::name_of_secret(with);
    so_far.first.nonce = detail::random_secret();
    auto whole = co_await knock_by(by, with, so_far);
    co_return whole;
}

/// The second half; gives what it is told, or nothing when the other side hangs up.
inline task<std::optional<std::vector<std::string>>> end_visit(std::shared_ptr<detail::stranger> by,
                                                               detail::secret with, visit& so_far,
                                                               std::string what)
{
    using detail::stranger;
    std::array<std::byte, 4> size{};
    detail::store_little(size.data(), static_cast<std::uint32_t>(what.size()));
    auto mine = so_far.both.of_the_worker(with, detail::bytes_of(what));
    auto whole = co_await stranger::write(by, size);
    if (whole)
        whole = co_await stranger::write(by, detail::bytes_of(what));
    if (whole)
        whole = co_await stranger::write(by, mine);
    std::array<std::byte, 5> head{};
    if (whole)
        whole = co_await stranger::read(by, head);
    if (!whole)
        co_return std::nullopt;
    std::uint32_t length = 0;
    detail::load_little(head.data() + 1, length);
    std::string block(length, '\0');
    auto room = std::as_writable_bytes(std::span(block.data(), block.size()));
    whole = co_await stranger::read(by, room);
    if (!whole)
        co_return std::nullopt;
    auto texts = detail::read_block(block).value();
    texts.insert(texts.begin(), head[0] == std::byte{1} ? "welcome" : "refused");
    co_return texts;
}

/// Whether the other side hangs up without a word more.
inline task<bool> is_sent_away(std::shared_ptr<detail::stranger> who)
{
    std::array<std::byte, 1> more{};
    auto any = co_await detail::stranger::read(who, more);
    co_return !any;
}

} // namespace brood::test
