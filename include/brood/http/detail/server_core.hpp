// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/wait_queue.hpp>
#include <brood/http/detail/connection.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace brood::http::detail
{

/// All connections of a server, and the clock that ends those that are late.
class server_core : public std::enable_shared_from_this<server_core>
{
public:
    server_core(asio::any_io_executor executor, handler answer, server_options options)
        : executor_(executor),
          state_(std::make_shared<server_state>(std::move(answer), std::move(options))),
          timer_(executor), empty_(executor)
    {
    }

    const asio::any_io_executor& executor() const noexcept { return executor_; }

    std::size_t connections() const noexcept { return count_; }

    std::size_t idle() const
    {
        std::size_t result = 0;
        for_each([&](connection& each) { result += each.idle() ? 1U : 0U; });
        return result;
    }

    bool closing() const noexcept { return state_->closing; }

    /// Serves a connection, of which these bytes have been read already.
    void add(socket_type socket, std::string_view already_read)
    {
        auto most = state_->options.max_connections;
        auto refused = most != 0 && count_ >= most;
        send_at_once(socket);
        never_block(socket);
        auto added = std::make_shared<connection>(state_, std::move(socket), refused);
        added->stream().input().append(already_read.data(), already_read.size());
        added->insert_before(connections_);
        ++count_;
        if (!std::exchange(watched_, true))
            asio::co_spawn(executor_, watch(shared_from_this()), asio::detached);
        asio::co_spawn(executor_, connection::run(added),
                       [self = shared_from_this(), added](std::exception_ptr)
                       { self->forget(*added); });
    }

    /// Calls this when the server is closed, as long as what is returned lives.
    [[nodiscard]] std::shared_ptr<void> closes_too(std::function<void()> close)
    {
        auto kept = std::make_shared<std::function<void()>>(std::move(close));
        if (state_->closing)
            (*kept)();
        else
            sources_.push_back(kept);
        return kept;
    }

    /// Takes no more requests: see server::close(). Throws what a source threw when it was closed,
    /// the first one, when all is done.
    void close()
    {
        state_->closing = true;
        std::exception_ptr thrown;
        for (auto& each : std::exchange(sources_, {}))
            if (auto source = each.lock())
                close_source(*source, thrown);
        state_->now = server_state::clock::now();
        for_each([](connection& each) { each.hurry(); });
        timer_.cancel(); // the connections that wait have less time than before
        if (thrown)
            std::rethrow_exception(thrown);
    }

    void close_idle()
    {
        for_each(
            [](connection& each)
            {
                if (each.idle())
                    each.stream().cancel();
            });
    }

    void close_all()
    {
        for_each([](connection& each) { each.stream().close(); });
    }

    /// Waits until there is no connection.
    static task<> closed(std::shared_ptr<server_core> self)
    {
        while (self->count_ != 0)
            co_await self->empty_.wait();
    }

private:
    // One that throws keeps no other open.
    static void close_source(const std::function<void()>& close, std::exception_ptr& thrown)
    {
        try
        {
            close();
        }
        catch (...)
        {
            if (!thrown)
                thrown = std::current_exception();
        }
    }

    template <class Call>
    void for_each(Call call) const
    {
        for (auto node = connections_.next; node != &connections_;)
        {
            auto& each = static_cast<connection&>(*node);
            node = node->next;
            call(each);
        }
    }

    // Asio sees to that with the first wait, which may come behind the first answer: sendfile(2)
    // has no MSG_DONTWAIT.
    static void never_block(socket_type& socket)
    {
        std::error_code ignored;
        socket.native_non_blocking(true, ignored);
    }

    void forget(connection& gone)
    {
        gone.unlink();
        if (--count_ != 0)
            return;
        timer_.cancel();
        empty_.post_all();
    }

    // Looks again and again for connections that are late, as long as there are any.
    static task<> watch(std::shared_ptr<server_core> self)
    {
        while (self->count_ != 0)
        {
            auto& state = *self->state_;
            state.now = server_state::clock::now();
            self->for_each(
                [&](connection& each)
                {
                    if (each.stream().is_late(state.now))
                        each.expire();
                });
            auto tick = state.tick();
            self->timer_.expires_after(state.closing ? std::min(tick, tick_when_closing) : tick);
            co_await self->timer_.async_wait(brood::detail::use_tuple);
        }
        self->watched_ = false;
    }

    static constexpr server_state::clock::duration tick_when_closing =
        std::chrono::milliseconds(20);

    asio::any_io_executor executor_;
    std::shared_ptr<server_state> state_;
    mutable brood::detail::list_node connections_;
    std::size_t count_ = 0;
    bool watched_ = false; // by one only: two would wake each other without end
    std::vector<std::weak_ptr<std::function<void()>>> sources_;
    asio::steady_timer timer_;
    brood::detail::wait_queue empty_;
};

} // namespace brood::http::detail
