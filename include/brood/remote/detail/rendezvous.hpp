// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/base/internal/deadline.hpp>
#include <brood/base/loop.hpp>
#include <brood/remote/detail/far_address.hpp>
#include <brood/remote/detail/handshake.hpp>
#include <brood/remote/detail/secret.hpp>
#include <brood/remote/detail/stranger.hpp>
#include <brood/remote/detail/tls.hpp>
#include <brood/wire/internal/link.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace brood::detail
{

/// What a worker elsewhere says that it is.
struct far_worker
{
    std::string host;
    std::string pid;
    std::string build; ///< Of its program; empty when that has none.
};

/// Whom a rendezvous waits for.
struct guest
{
    secret shared = {};
    std::shared_ptr<link> to;         ///< That waits for its socket.
    std::vector<std::string> welcome; ///< What it is told when it is there.
    std::function<std::string(const far_worker&)>
        refuse; ///< Why it may not come; empty when it may.
};

/// Where workers elsewhere come to: a socket that listens for as long as somebody is expected, and
/// those who connect until they have proved who they are.
///
/// Each secret is good once, and until forget(). A stranger costs a descriptor for `patience` at
/// most, and of `most_strangers` the oldest goes when one more comes. For one loop.
class rendezvous : public std::enable_shared_from_this<rendezvous>
{
public:
    static constexpr std::size_t most_strangers = 64;
    static constexpr std::chrono::milliseconds usual_patience{5'000};

    /// Listens at these addresses of this machine, each with a port of its own; with a certificate,
    /// by TLS alone.
    rendezvous(asio::any_io_executor executor, std::vector<std::string> hosts,
               std::chrono::milliseconds patience = usual_patience,
               std::shared_ptr<const tls_identity> identity = nullptr)
        : executor_(std::move(executor)), hosts_(std::move(hosts)), patience_(patience),
          identity_(std::move(identity))
    {
    }

    /// Begins to wait for somebody, and gives where that is. Throws std::system_error when nothing
    /// can listen there.
    std::vector<std::string> expect(guest who)
    {
        if (doors_.empty())
            open();
        guests_.insert_or_assign(name_of_secret(who.shared), std::move(who));
        return endpoints_;
    }

    /// He is not expected any more, if he still was.
    void forget(const secret& shared)
    {
        guests_.erase(name_of_secret(shared));
        close_when_idle();
    }

    /// How many are expected.
    std::size_t expects() const noexcept { return guests_.size(); }

    /// How many have connected and not yet said who they are.
    std::size_t strangers() const noexcept { return strangers_.size(); }

private:
    using stream = asio::posix::stream_descriptor;

    void open()
    {
        for (auto& host : hosts_)
        {
            auto address = internet_address(host, 0);
            if (!address)
                throw_system_error(EINVAL, "listen for workers on '" + host + "'",
                                   "which is no address of the internet");
            descriptor socket(
                ::socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
            check(socket.get(), "listen for workers on", host);
            if (address->family() == AF_INET6)
            {
                int alone = 1;
                ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &alone, sizeof alone);
            }
            check(::bind(socket.get(), address->get(), address->size), "listen for workers on",
                  host);
            check(::listen(socket.get(), 128), "listen for workers on", host);
            endpoints_.push_back(to_endpoint(host, port_of(socket)));
            auto door = std::make_shared<stream>(executor_);
            assign_descriptor(std::move(socket), *door);
            doors_.push_back(door);
            asio::co_spawn(executor_, answer(shared_from_this(), door), asio::detached);
        }
    }

    static std::uint16_t port_of(const descriptor& socket)
    {
        far_address address;
        address.size = sizeof address.bytes;
        auto place = reinterpret_cast<sockaddr*>(&address.bytes);
        check(::getsockname(socket.get(), place, &address.size), "look at a socket");
        auto port = address.family() == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(place)->sin6_port
                                                 : reinterpret_cast<sockaddr_in*>(place)->sin_port;
        return ntohs(port);
    }

    void close_when_idle()
    {
        if (!guests_.empty())
            return;
        std::error_code ignored;
        for (auto& each : std::exchange(doors_, {}))
            each->close(ignored);
        endpoints_.clear();
        for (auto& each : std::exchange(strangers_, {}))
            each->close();
    }

    static task<> answer(std::shared_ptr<rendezvous> self, std::shared_ptr<stream> door)
    {
        while (door->is_open())
        {
            auto waited = co_await door->async_wait(stream::wait_read, use_tuple);
            if (std::get<0>(waited))
                co_return;
            descriptor socket(
                ::accept4(door->native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (socket)
                self->let_in(std::move(socket));
            else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
                co_await sleep(std::chrono::milliseconds(50)); // no descriptor is left
        }
    }

    void let_in(descriptor socket)
    {
        keep_watch(socket.get());
        if (strangers_.size() >= most_strangers)
        {
            strangers_.front()->close();
            strangers_.pop_front();
        }
        auto one = std::make_shared<stranger>(executor_, std::move(socket), patience_);
        stranger::watch(one);
        strangers_.push_back(one);
        asio::co_spawn(executor_, hear(shared_from_this(), one), asio::detached);
    }

    static task<> hear(std::shared_ptr<rendezvous> self, std::shared_ptr<stranger> one)
    {
        auto known = true;
        if (self->identity_)
            known = co_await stranger::encrypt(one, tls::of_primary(*self->identity_));
        if (known)
            known = co_await introduce(self, one);
        if (!known)
            one->close();
        self->strangers_.remove(one);
        self->close_when_idle();
    }

    // The steps of the handshake, as handshake.hpp has them. False when it is not who it should be.
    static task<bool> introduce(std::shared_ptr<rendezvous> self, std::shared_ptr<stranger> one)
    {
        std::array<std::byte, knock::size> first{};
        auto whole = co_await stranger::read(one, first);
        auto said = whole ? read_knock(first) : std::nullopt;
        auto found = said ? self->guests_.find(said->name) : self->guests_.end();
        if (found == self->guests_.end())
            co_return false;
        auto shared = found->second.shared;
        nonces both{said->nonce, random_secret()};
        auto ours = both.of_the_primary(shared);
        whole = co_await stranger::write(one, both.of_primary);
        if (whole)
            whole = co_await stranger::write(one, ours);
        std::array<std::byte, 4> size{};
        if (whole)
            whole = co_await stranger::read(one, size);
        std::uint32_t length = 0;
        load_little(size.data(), length);
        if (!whole || length > longest_entry)
            co_return false;
        std::string what(length, '\0');
        auto room = std::as_writable_bytes(std::span(what.data(), what.size()));
        whole = co_await stranger::read(one, room);
        proof theirs{};
        if (whole)
            whole = co_await stranger::read(one, theirs);
        if (!whole || !is_same(theirs, both.of_the_worker(shared, bytes_of(what))))
            co_return false;
        auto result = co_await welcome(self, one, shared, what);
        co_return result;
    }

    // He knows the secret, which is of no use from here on.
    static task<bool> welcome(std::shared_ptr<rendezvous> self, std::shared_ptr<stranger> one,
                              secret shared, std::string what)
    {
        auto found = self->guests_.find(name_of_secret(shared));
        if (found == self->guests_.end())
            co_return false; // somebody else was faster, or he is not expected any more
        auto who = std::move(found->second);
        self->guests_.erase(found);
        auto texts = read_block(what);
        auto complete = texts && texts->size() >= 3;
        far_worker is;
        if (complete)
            is = {(*texts)[0], (*texts)[1], (*texts)[2]};
        auto why = complete ? who.refuse(is) : "it does not say what it is";
        auto block = to_block(why.empty() ? who.welcome : std::vector<std::string>{why});
        std::array<std::byte, 5> head{};
        head[0] = static_cast<std::byte>(why.empty() ? 1 : 0);
        store_little(head.data() + 1, static_cast<std::uint32_t>(block.size()));
        auto whole = co_await stranger::write(one, head);
        if (whole)
            whole = co_await stranger::write(one, bytes_of(block));
        if (!why.empty())
        {
            who.to->fail(error(errc::version_mismatch, why));
            co_return false;
        }
        auto socket = one->release();
        if (!whole || !socket)
        {
            who.to->fail(error(errc::closed, "it went while it came"));
            co_return false;
        }
        who.to->sending().encrypt(one->through());
        who.to->connect(std::move(socket));
        co_return true;
    }

    asio::any_io_executor executor_;
    std::vector<std::string> hosts_;
    std::chrono::milliseconds patience_;
    std::shared_ptr<const tls_identity> identity_; // null for bytes in the clear
    std::vector<std::string> endpoints_;
    std::vector<std::shared_ptr<stream>> doors_;
    std::map<secret_name, guest> guests_;
    std::list<std::shared_ptr<stranger>> strangers_;
};

} // namespace brood::detail
