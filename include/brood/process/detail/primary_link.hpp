// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/shared_result.hpp>
#include <brood/process/detail/peers_core.hpp>
#include <brood/process/detail/stop_request.hpp>
#include <brood/process/internal/listener_core.hpp>
#include <brood/process/internal/receiving.hpp>
#include <brood/process/internal/silence.hpp>
#include <brood/process/internal/vital_signs.hpp>
#include <brood/process/internal/worker_protocol.hpp>
#include <brood/process/signals.hpp>
#include <brood/process/traffic.hpp>
#include <brood/wire/internal/control.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <sys/stat.h>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace brood::detail
{

/// A worker's side of what it and its primary say to each other.
class primary_link : public std::enable_shared_from_this<primary_link>
{
public:
    /// `address` is that of this machine by which it reaches a primary elsewhere.
    primary_link(std::shared_ptr<link> to, worker_identity who, std::shared_ptr<stop_request> stop,
                 std::string address = {})
        : link_(std::move(to)), who_(who), address_(std::move(address)), stop_(std::move(stop))
    {
    }

    const worker_identity& who() const noexcept { return who_; }

    /// Says that the worker is there, and does from here on what the primary says.
    void begin()
    {
        send_control(*link_, online_notice{});
        asio::co_spawn(link_->executor(), obey(shared_from_this()), asio::detached);
    }

    /// From here on SIGTERM asks the primary to let this worker finish.
    void leave_when_asked()
    {
        terminate_.emplace(link_->executor(), SIGTERM);
        terminate_->wait_then(
            [weak = weak_from_this()]
            {
                if (auto self = weak.lock())
                    send_control(*self->link_, recycle_notice{true});
            });
    }

    /// Says that it can be given work, the first time.
    void ready()
    {
        if (!std::exchange(is_ready_, true))
            send_control(*link_, ready_notice{});
    }

    bool is_ready() const noexcept { return is_ready_; }

    void recycle() { send_control(*link_, recycle_notice{}); }

    void give_up(const std::string& reason)
    {
        give_up_notice notice{reason};
        send_control(*link_, notice);
    }

    /// A socket that is bound for datagrams. Throws std::system_error.
    static task<descriptor> bind(std::shared_ptr<primary_link> self, listen_request wanted)
    {
        auto asked = self->ask(wanted);
        auto answered = co_await asked->answered.get();
        check_answer(answered, wanted);
        co_return std::move(asked->socket);
    }

    /// Where connections come from. Throws std::system_error.
    static task<std::shared_ptr<listener_core>> listen(std::shared_ptr<primary_link> self,
                                                       listen_request wanted)
    {
        auto asked = self->ask(wanted);
        auto answered = co_await asked->answered.get();
        check_answer(answered, wanted);
        self->ready();
        co_return std::move(asked->connections);
    }

    /// Tells a primary on another machine of a socket that it did not open, and cannot see.
    void tell_of(const socket_address& at)
    {
        if (!link_->is_elsewhere())
            return;
        listening_notice notice{to_string(at)};
        send_control(*link_, notice);
    }

    /// One that the primary did not open ends with the others when this worker is asked to stop,
    /// and its connections count as theirs.
    void attend(const std::shared_ptr<listener_core>& opened)
    {
        opened->tell({[weak = weak_from_this()]
                      {
                          if (auto self = weak.lock())
                              self->count_connection();
                      }});
        if (is_draining_)
            return opened->close();
        listeners_[++last_number_] = opened;
        tell_of(opened->address());
    }

    /// For a socket that takes datagrams until this worker is asked to stop.
    std::shared_ptr<receiving> receive()
    {
        auto result = std::make_shared<receiving>();
        std::erase_if(receivers_, [](auto& each) { return each.expired(); });
        receivers_.push_back(result);
        if (is_draining_)
            result->end();
        return result;
    }

    /// The channels to the other workers, made when they are first used.
    const std::shared_ptr<peers_core>& peers()
    {
        if (peers_)
            return peers_;
        auto ready = [weak = weak_from_this()]
        {
            if (auto self = weak.lock())
                self->ready();
        };
        peers_ = std::make_shared<peers_core>(link_, who_, address_, ready);
        if (is_draining_)
            peers_->end();
        if (link_->ended())
            peers_->close();
        return peers_;
    }

    /// The same; null when they have never been used.
    const std::shared_ptr<peers_core>& peers_if_used() const noexcept { return peers_; }

private:
    using place_type = std::tuple<std::int32_t, std::string>; // type, address

    struct question
    {
        explicit question(asio::any_io_executor executor) : answered(std::move(executor)) {}

        shared_result<int> answered; // the error number, 0 for none
        descriptor socket;
        std::shared_ptr<listener_core> connections;
        bool datagrams = false;
        place_type place;
        std::uint32_t index = 0; // the lowest that no open listener at that place has
    };

    // A socket for datagrams that the program has, or had.
    struct bound
    {
        place_type place;
        std::uint32_t index;
        std::uint64_t number; // in what is said of it
        int descriptor;
        ino_t inode;
    };

    static void check_answer(int error_number, const listen_request& wanted)
    {
        if (error_number != 0)
            throw_system_error(error_number, "listen on",
                               to_string(socket_address(wanted.address)));
    }

    std::shared_ptr<question> ask(listen_request& wanted)
    {
        free_closed_datagrams();
        wanted.number = ++last_number_;
        auto asked = std::make_shared<question>(link_->executor());
        asked->place = {wanted.type, wanted.address};
        while (!in_use_[asked->place].insert(asked->index).second)
            ++asked->index;
        wanted.index = asked->index;
        asked->datagrams = wanted.type == SOCK_DGRAM;
        questions_[wanted.number] = asked;
        send_control(*link_, wanted);
        if (link_->ended())
            answer_as_closed();
        return asked;
    }

    static task<> obey(std::shared_ptr<primary_link> self)
    {
        try
        {
            co_await obey_while_connected(self);
        }
        catch (const error&)
        {
            // Whoever talks on the channel learns what was wrong.
        }
        auto expected = self->is_draining_;
        self->on_end();
        if (!expected)
            co_await end_without_primary();
    }

    static task<> obey_while_connected(std::shared_ptr<primary_link> self)
    {
        for (;;)
        {
            auto word = co_await next_control<
                carrying_if_room<listen_reply>, carrying_if_room<handed_connection>,
                carrying<vital_signs_request, descriptor>, recycle_request, drain_request,
                keep_in_touch_request, carrying_if_room<peer_introduction>>(self->link_);
            if (!word)
                co_return;
            std::visit([&](auto& said) { self->on(said); }, *word);
        }
    }

    void on(carrying_if_room<listen_reply>& said)
    {
        auto& reply = said.message;
        if (said.lost)
        {
            reply.error_number = EMFILE;
            send_control(*link_, closed_notice{reply.number});
        }
        auto found = questions_.find(reply.number);
        if (found == questions_.end())
            return;
        auto asked = std::move(found->second);
        questions_.erase(found);
        if (reply.error_number != 0)
            in_use_[asked->place].erase(asked->index);
        else if (asked->datagrams)
            take_datagrams(reply.number, std::move(said.object), *asked);
        else
            asked->connections = open(reply, std::move(said.object), *asked);
        asked->answered.set(reply.error_number);
    }

    void take_datagrams(std::uint64_t number, descriptor socket, question& asked)
    {
        datagrams_.push_back(
            {asked.place, asked.index, number, socket.get(), inode_of(socket.get())});
        asked.socket = std::move(socket);
    }

    // Nobody tells when a socket for datagrams, which is the program's own, is closed: it is when
    // its number is another file's, or nobody's.
    void free_closed_datagrams()
    {
        std::erase_if(datagrams_,
                      [&](auto& each)
                      {
                          if (inode_of(each.descriptor) == each.inode)
                              return false;
                          in_use_[each.place].erase(each.index);
                          send_control(*link_, closed_notice{each.number});
                          return true;
                      });
    }

    static ino_t inode_of(int number)
    {
        struct stat file = {};
        return ::fstat(number, &file) == 0 ? file.st_ino : 0;
    }

    std::shared_ptr<listener_core> open(const listen_reply& reply, descriptor socket,
                                        const question& asked)
    {
        auto opened =
            std::make_shared<listener_core>(link_->executor(), socket_address(reply.address));
        if (socket)
            opened->accept_from(std::move(socket));
        auto to = link_;
        auto number = reply.number;
        opened->tell(
            {[weak = weak_from_this()]
             {
                 if (auto self = weak.lock())
                     self->count_connection();
             },
             [to, number] { send_control(*to, accepted_notice{number}); },
             [to, number] { send_control(*to, lost_notice{number}); },
             [to, number, weak = weak_from_this(), place = asked.place, index = asked.index]
             {
                 send_control(*to, closed_notice{number});
                 if (auto self = weak.lock())
                     self->in_use_[place].erase(index);
             }});
        if (is_draining_)
            opened->close();
        else
            listeners_[number] = opened;
        return opened;
    }

    // Without a listener the primary has closed_notice, and gives its copy to another worker.
    void on(carrying_if_room<handed_connection>& said)
    {
        if (auto listener = listeners_[said.message.number].lock())
            listener->hand_over(std::move(said.object));
    }

    // The loop itself beats: a thread of its own would go on when the loop stands still.
    void on(carrying<vital_signs_request, descriptor>& said)
    {
        vital_signs signs(said.object());
        traffic_of_this_process().move_to(signs.traffic());
        auto interval = std::chrono::milliseconds(said.message.beat_milliseconds);
        if (interval.count() > 0)
            asio::co_spawn(link_->executor(), beat(signs, interval), asio::detached);
    }

    // Primaries hear the answers of many at once: our own timer would wake them for each of us.
    void on(const keep_in_touch_request& said)
    {
        send_control(*link_, alive_notice{});
        auto grace = std::chrono::milliseconds(said.grace_milliseconds);
        if (std::exchange(grace_, grace).count() == 0)
            asio::co_spawn(link_->executor(), keep_in_touch(shared_from_this()), asio::detached);
    }

    // Nothing ends the stream of a primary that was cut off.
    static task<> keep_in_touch(std::shared_ptr<primary_link> self)
    {
        while (!self->link_->ended())
        {
            auto turn = std::max(self->grace_ / 4, std::chrono::milliseconds(1));
            co_await sleep(turn);
            auto silent = self->silence_.turn(turn, self->link_->heard());
            if (silent >= self->grace_)
                self->link_->fail(
                    error(errc::timed_out,
                          "nothing came from it for " + std::to_string(silent.count()) + " ms"));
        }
    }

    void on(carrying_if_room<peer_introduction>& said) { peers()->hear(std::move(said)); }

    void on(const recycle_request& said) { connections_left_ = said.connections; }

    void count_connection()
    {
        if (connections_left_ && *connections_left_ != 0 && --*connections_left_ == 0)
            recycle();
    }

    static task<> beat(vital_signs signs, std::chrono::milliseconds interval)
    {
        for (;;)
        {
            signs.beat();
            co_await sleep(interval);
        }
    }

    void on(const drain_request& said)
    {
        is_draining_ = true;
        for (auto& [number, each] : std::exchange(listeners_, {}))
            if (auto listener = each.lock())
                said.no_successor ? listener->close_when_empty() : listener->close();
        for (auto& each : std::exchange(receivers_, {}))
            if (auto receiver = each.lock())
                receiver->end();
        if (peers_)
            peers_->end();
        stop_->ask();
    }

    void on_end()
    {
        drain_request last;
        on(last);
        answer_as_closed();
        if (peers_)
            peers_->close();
    }

    // Who still waits for a listener gets one that is closed.
    void answer_as_closed()
    {
        for (auto& [number, asked] : std::exchange(questions_, {}))
        {
            if (!asked->datagrams)
                asked->connections = open({}, {}, *asked);
            asked->answered.set(asked->datagrams ? EPIPE : 0);
        }
    }

    // A worker never outlives its primary; it has this long to finish.
    static task<> end_without_primary()
    {
        co_await sleep(std::chrono::seconds(5));
        std::_Exit(1);
    }

    std::shared_ptr<link> link_;
    worker_identity who_;
    const std::string address_;
    std::shared_ptr<stop_request> stop_;
    bool is_ready_ = false;
    bool is_draining_ = false;
    std::optional<signals> terminate_;
    silence silence_;                               // of a primary elsewhere
    std::chrono::milliseconds grace_{0};            // that it has, once it has said so
    std::optional<std::uint64_t> connections_left_; // until it asks to be replaced
    std::uint64_t last_number_ = 0;
    std::map<place_type, std::set<std::uint32_t>> in_use_; // indexes
    std::vector<bound> datagrams_;
    std::map<std::uint64_t, std::shared_ptr<question>> questions_;
    std::map<std::uint64_t, std::weak_ptr<listener_core>> listeners_;
    std::vector<std::weak_ptr<receiving>> receivers_; // of datagrams
    std::shared_ptr<peers_core> peers_;
};

} // namespace brood::detail
