// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/write_without_waiting.hpp>
#include <brood/base/error.hpp>
#include <brood/base/loop.hpp>
#include <brood/process/internal/pipe_ends.hpp>
#include <brood/process/pipe.hpp>
#include <brood/process/spawn_options.hpp>

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace brood::detail
{

/// What the command of a launcher says on its stderr, which is where it says why it failed: passed
/// on to where that leads, and the last of it kept.
class kept_errors : public std::enable_shared_from_this<kept_errors>
{
public:
    /// Changes where the stderr of a start leads. Pipes to this process are made here: the ends
    /// that it reads are added to `ours`, by the number of the child's. Throws std::system_error.
    kept_errors(const asio::any_io_executor& executor, spawn_options& options,
                std::map<int, descriptor>& ours)
        : to_(leads_to(options, ours)), from_(executor, put_before(options.stderr_))
    {
    }

    /// From here on it passes on, until nobody holds that stderr any more.
    void begin()
    {
        asio::co_spawn(from_.get_executor(), follow(shared_from_this()), asio::detached);
    }

    /// The command has ended: the last that it said.
    const std::string& finish()
    {
        add(from_.read_now());
        pass_on();
        return last_;
    }

private:
    // ---- Where it leads

    // The same opening once more; an empty one for what is not open.
    static descriptor duplicate(int number)
    {
        return descriptor(::fcntl(number, F_DUPFD_CLOEXEC, 3));
    }

    static descriptor leads_to(spawn_options& options, std::map<int, descriptor>& ours)
    {
        if (options.stderr_.what() != stdio::kind::same_as_stdout)
            return opened(options.stderr_, 2, ours);
        // One opening for both, as in any other child.
        auto both = opened(options.stdout_, 1, ours);
        options.stdout_ = both ? stdio::from(duplicate(both.get())) : stdio::ignore();
        return both;
    }

    static descriptor opened(const stdio& where, int number, std::map<int, descriptor>& ours)
    {
        switch (where.what())
        {
        case stdio::kind::inherit:
            return duplicate(number);
        case stdio::kind::descriptor:
            return duplicate(where.number());
        case stdio::kind::file:
            return descriptor(check(
                retry([&]
                      { return ::open(where.path().c_str(), where.flags() | O_CLOEXEC, 0666); }),
                "open " + where.path()));
        case stdio::kind::ignore:
        case stdio::kind::same_as_stdout:
            return {};
        default: // to this process
            auto made = pipe_ends::made();
            ours[number] = std::move(made.reading);
            return std::move(made.writing);
        }
    }

    static descriptor put_before(stdio& where)
    {
        auto made = pipe_ends::made();
        where = stdio::from(std::move(made.writing));
        return std::move(made.reading);
    }

    // ---- Passing on

    static task<> follow(std::shared_ptr<kept_errors> self)
    {
        try
        {
            for (bool more = true; more;)
            {
                auto piece = co_await self->from_.read_some();
                more = !piece.empty();
                self->add(piece);
                // To wait in the loop, Asio would make it non-blocking for all who share it.
                while (!self->pass_on())
                    co_await sleep(std::chrono::milliseconds(10));
            }
        }
        catch (const std::system_error&)
        {
            // It cannot be read any more: the loop ends.
        }
        self->to_.reset(); // who reads there sees the end
    }

    void add(std::string_view piece)
    {
        constexpr std::size_t most = 4'096;
        if (to_)
            waiting_ += piece;
        last_ += piece.substr(piece.size() - std::min(piece.size(), most));
        last_.erase(0, last_.size() - std::min(last_.size(), most));
    }

    // False when it takes no more for now.
    bool pass_on()
    {
        while (!waiting_.empty())
        {
            auto count = write_without_waiting(to_.get(), waiting_);
            if (count == -1 && errno == EAGAIN)
                return false;
            // Without a reader it is lost, as it is for a command that prints there by itself.
            waiting_.erase(0, count == -1 ? waiting_.size() : static_cast<std::size_t>(count));
        }
        return true;
    }

    descriptor to_;
    pipe_reader from_;
    std::string waiting_;
    std::string last_;
};

} // namespace brood::detail
