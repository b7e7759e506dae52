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
#include <optional>
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

/// A door that is always the same: for workers that come by themselves, and know one secret.
struct front_door
{
    secret shared = {};
    std::vector<descriptor> sockets;                        ///< That listen.
    std::shared_ptr<const tls_identity> identity = nullptr; ///< Null in the clear.

    /// Hears why somebody was sent away, in a sentence that begins with who it was.
    std::function<void(const std::string&)> report;
};

/// Where workers elsewhere come to: a socket that listens for as long as somebody is expected, and
/// those who connect until they have proved who they are.
///
/// Each secret is good once, and until forget(); that of a front door for as many as are expected
/// by it. A stranger costs a descriptor for `patience` at most, and of `most_strangers` the oldest
/// goes when one more comes. For one loop.
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

    /// Listens at this door from the first guest until close(): who comes when nobody is expected
    /// is told so.
    rendezvous(asio::any_io_executor executor, front_door door,
               std::chrono::milliseconds patience = usual_patience)
        : executor_(std::move(executor)), patience_(patience), identity_(door.identity),
          front_(std::move(door)), front_name_(name_of_secret(front_->shared))
    {
    }

    /// Begins to wait for somebody, and gives where that is. Throws std::system_error when nothing
    /// can listen there.
    std::vector<std::string> expect(guest who)
    {
        if (doors_.empty())
            open();
        guests_.emplace(name_of_secret(who.shared), std::move(who));
        return endpoints_;
    }

    /// This one of those who may know the same secret is not expected any more, if he still was.
    void forget(const std::shared_ptr<link>& which)
    {
        std::erase_if(guests_, [&](auto& each) { return each.second.to == which; });
        close_when_idle();
    }

    /// He is not expected any more, if he still was.
    void forget(const secret& shared)
    {
        guests_.erase(name_of_secret(shared));
        close_when_idle();
    }

    /// Nobody is let in any more, and nobody listens.
    void close()
    {
        std::error_code ignored;
        for (auto& each : std::exchange(doors_, {}))
            each->close(ignored);
        endpoints_.clear();
        for (auto& each : std::exchange(strangers_, {}))
            each->close();
    }

    /// How many are expected.
    std::size_t expects() const noexcept { return guests_.size(); }

    /// How many have connected and not yet said who they are.
    std::size_t strangers() const noexcept { return strangers_.size(); }

private:
    using stream = asio::posix::stream_descriptor;

    void open()
    {
        if (front_)
            for (auto& each : front_->sockets)
                begin(each.duplicate());
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
            begin(std::move(socket));
        }
    }

    void begin(descriptor socket)
    {
        auto door = std::make_shared<stream>(executor_);
        assign_descriptor(std::move(socket), *door);
        doors_.push_back(door);
        asio::co_spawn(executor_, answer(shared_from_this(), door), asio::detached);
    }

    void close_when_idle()
    {
        if (guests_.empty() && !front_)
            close();
    }

    void report(const std::shared_ptr<stranger>& who, const std::string& why) const
    {
        if (!front_ || !front_->report)
            return;
        auto late = "did not say who it is within " + std::to_string(patience_.count()) + " ms";
        front_->report(who->address() + ' ' + (who->is_late() ? late : why));
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
        if (!known)
            self->report(one, "has another token, or does not speak TLS");
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
        auto known = said ? self->secret_by(said->name) : std::nullopt;
        if (!known)
        {
            self->report(one, what_is_wrong(first, said.has_value()));
            std::array<std::byte, 64> no_proof{}; // so that it does not come again and again
            if (self->front_ && version_of_knock(first))
                co_await stranger::write(one, no_proof);
            co_return false;
        }
        auto shared = *known;
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
        {
            self->report(one, whole ? "says more than any worker does" : "went while it came");
            co_return false;
        }
        std::string what(length, '\0');
        auto room = std::as_writable_bytes(std::span(what.data(), what.size()));
        whole = co_await stranger::read(one, room);
        proof theirs{};
        if (whole)
            whole = co_await stranger::read(one, theirs);
        if (!whole || !is_same(theirs, both.of_the_worker(shared, bytes_of(what))))
        {
            self->report(one, whole ? "knows the name of the token, and not the token"
                                    : "went while it came");
            co_return false;
        }
        auto result = co_await welcome(self, one, shared, what);
        co_return result;
    }

    // He knows the secret, which is of no use from here on.
    static task<bool> welcome(std::shared_ptr<rendezvous> self, std::shared_ptr<stranger> one,
                              secret shared, std::string what)
    {
        auto found = self->guests_.lower_bound(name_of_secret(shared)); // who waits longest
        if (found == self->guests_.end() || found->second.shared != shared)
        {
            std::vector<std::string> full(1, "every place is taken");
            if (self->front_)
                co_await say(one, answer_kind::come_again, std::move(full));
            co_return false; // somebody else was faster, or he is not expected any more
        }
        auto texts = read_block(what);
        auto complete = texts && texts->size() >= 3;
        far_worker is;
        if (complete)
            is = {(*texts)[0], (*texts)[1], (*texts)[2]};
        auto why = complete ? found->second.refuse(is) : "it does not say what it is";
        std::vector<std::string> reason(1, why);
        if (!why.empty() && self->front_) // the place is for the next one
        {
            self->report(one, "cannot come: " + why);
            co_await say(one, answer_kind::refusal, std::move(reason));
            co_return false;
        }
        auto who = std::move(found->second);
        self->guests_.erase(found);
        auto kind = why.empty() ? answer_kind::welcome : answer_kind::refusal;
        auto texts_for_it = why.empty() ? who.welcome : reason;
        auto whole = co_await say(one, kind, std::move(texts_for_it));
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

    static task<bool> say(std::shared_ptr<stranger> to, answer_kind kind,
                          std::vector<std::string> texts)
    {
        auto block = to_block(texts);
        std::array<std::byte, 5> head{};
        head[0] = static_cast<std::byte>(kind);
        store_little(head.data() + 1, static_cast<std::uint32_t>(block.size()));
        auto whole = co_await stranger::write(to, head);
        if (whole)
            whole = co_await stranger::write(to, bytes_of(block));
        co_return whole;
    }

    std::optional<secret> secret_by(const secret_name& name) const
    {
        if (front_ && name == front_name_)
            return front_->shared;
        auto found = guests_.find(name);
        return found == guests_.end() ? std::nullopt : std::optional(found->second.shared);
    }

    static std::string what_is_wrong(const std::array<std::byte, knock::size>& first, bool is_knock)
    {
        if (is_knock)
            return "has another token";
        if (auto version = version_of_knock(first))
            return "speaks version " + std::to_string(*version) +
                   " of the handshake, and this is " + std::to_string(knock::version) +
                   ": build both with the same brood";
        return "is no worker of brood, or went at once";
    }

    asio::any_io_executor executor_;
    std::vector<std::string> hosts_;
    std::chrono::milliseconds patience_;
    std::shared_ptr<const tls_identity> identity_; // null for bytes in the clear
    std::vector<std::string> endpoints_;
    std::vector<std::shared_ptr<stream>> doors_;
    std::optional<front_door> front_;
    secret_name front_name_ = {};
    std::multimap<secret_name, guest> guests_;
    std::list<std::shared_ptr<stranger>> strangers_;
};

} // namespace brood::detail
