// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio_net.hpp>
#include <brood/base/error.hpp>
#include <brood/base/internal/deadline.hpp>
#include <brood/process/internal/far_meeting.hpp>
#include <brood/remote/detail/far_address.hpp>
#include <brood/remote/detail/handshake.hpp>
#include <brood/remote/detail/private_network.hpp>
#include <brood/remote/detail/rendezvous.hpp>
#include <brood/remote/detail/secret.hpp>
#include <brood/remote/detail/stranger.hpp>
#include <brood/remote/detail/tls.hpp>
#include <brood/wire/internal/link.hpp>

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

// How two workers meet: as a worker meets its primary, by a handshake in which both prove a secret
// that their primary has told them.

namespace brood::detail
{

/// From when it is said where, until it is given up.
inline constexpr std::chrono::seconds time_to_meet{10};

/// The secret is good until then.
inline task<> expect_visit(std::shared_ptr<rendezvous> meeting, std::shared_ptr<link> whom,
                           secret shared)
{
    auto until = time_from_now(time_to_meet);
    co_await link::disconnected(whom, until);
    meeting->forget(shared);
    if (!whom->ended() && !whom->may_hear_more())
        whom->fail(error(errc::timed_out,
                         "it did not come within " + std::to_string(time_to_meet.count()) + " s"));
}

/// Waits at an address of this machine, "10.0.0.7:41000", at another port.
inline meeting_point wait_for_visit(const std::shared_ptr<link>& whom,
                                    const std::string& own_address, bool encrypted)
{
    auto here = read_address("tcp:" + own_address);
    if (!here)
        throw error(errc::not_local, "it reaches its primary by a tunnel, so that no address is "
                                     "known at which other machines reach it");
    auto host = host_of(here->bytes);
    if (!encrypted && !is_private(*here))
        throw error(errc::not_local, "its address " + host +
                                         " is not of a private network, and nothing would be "
                                         "encrypted: set encrypt to true for its launcher");
    std::shared_ptr<const tls_identity> identity;
    if (encrypted)
    {
        static const auto made = tls_identity::make();
        identity = made;
    }
    auto meeting = std::make_shared<rendezvous>(whom->executor(), std::vector<std::string>(1, host),
                                                rendezvous::usual_patience, identity);
    guest who;
    who.shared = random_secret();
    who.to = whom;
    who.refuse = [](const far_worker&)
    {
        return std::string();
    };
    auto shared = who.shared;
    auto endpoints = meeting->expect(std::move(who));
    asio::co_spawn(whom->executor(), expect_visit(meeting, whom, shared), asio::detached);
    return {endpoints.front(), to_hex(shared), identity ? to_hex(identity->mark()) : std::string()};
}

/// Connects, in time. Throws std::system_error.
inline task<std::shared_ptr<stranger>> connect_in_time(asio::any_io_executor executor,
                                                       far_address to)
{
    auto socket = std::make_shared<asio::ip::tcp::socket>(executor);
    asio::ip::tcp::endpoint where;
    where.resize(to.size);
    std::memcpy(where.data(), to.get(), to.size);
    asio::steady_timer limit(executor, time_to_meet / 2);
    limit.async_wait(
        [socket](std::error_code cancelled)
        {
            std::error_code ignored;
            if (!cancelled)
                socket->close(ignored);
        });
    auto connected = co_await socket->async_connect(where, use_tuple);
    auto wrong = std::get<0>(connected);
    if (wrong == asio::error::operation_aborted || !socket->is_open())
        wrong = std::make_error_code(std::errc::timed_out);
    if (wrong)
        throw std::system_error(wrong);
    socket->native_non_blocking(true);
    descriptor open(socket->release());
    keep_watch(open.get());
    auto result = std::make_shared<stranger>(executor, std::move(open), time_to_meet / 2);
    stranger::watch(result);
    co_return result;
}

/// The visitor's part of the handshake. Throws brood::error when it is not who was meant.
inline task<> introduce_visitor(std::shared_ptr<stranger> to, secret shared)
{
    knock first{name_of_secret(shared), random_secret()};
    auto bytes = to_bytes(first);
    auto whole = co_await stranger::write(to, bytes);
    nonces both{first.nonce, {}};
    proof theirs{};
    if (whole)
        whole = co_await stranger::read(to, both.of_primary);
    if (whole)
        whole = co_await stranger::read(to, theirs);
    if (whole && !is_same(theirs, both.of_the_primary(shared)))
        throw error(errc::malformed, "who answers there does not know the secret of the two");
    auto what = to_block({"worker", "", ""});
    auto proved = both.of_the_worker(shared, bytes_of(what));
    std::array<std::byte, 4> size{};
    store_little(size.data(), static_cast<std::uint32_t>(what.size()));
    if (whole)
        whole = co_await stranger::write(to, size);
    if (whole)
        whole = co_await stranger::write(to, bytes_of(what));
    if (whole)
        whole = co_await stranger::write(to, proved);
    std::array<std::byte, 5> welcome{}; // which has no texts
    if (whole)
        whole = co_await stranger::read(to, welcome);
    if (!whole || welcome[0] != static_cast<std::byte>(answer_kind::welcome))
        throw error(errc::closed, "who answers there wants nobody, or waits no more");
}

/// Goes where another worker waits.
inline task<> visit(std::shared_ptr<link> whom, meeting_point where)
{
    auto shared = secret_from_hex(where.secret);
    auto address = read_address(where.endpoint);
    auto mark = secret_from_hex(where.certificate);
    if (!shared || !address || address->family() == AF_UNIX ||
        (!mark && !where.certificate.empty()))
        throw error(errc::malformed, "where it waits makes no sense");
    auto executor = whom->executor();
    auto to = co_await connect_in_time(executor, *address);
    auto known = true;
    if (mark)
        known = co_await stranger::encrypt(to, tls::of_worker(*mark));
    if (!known)
        throw error(errc::malformed, "who answers there does not prove by TLS 1.3 who it is");
    co_await introduce_visitor(to, *shared);
    whom->sending().encrypt(to->through());
    auto socket = to->release();
    if (!socket)
        throw error(errc::timed_out, "who answers there was too slow");
    whom->connect(std::move(socket));
}

} // namespace brood::detail
