// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/asio.hpp>
#include <brood/base/task.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace brood
{
namespace detail
{

class task_group_core;

template <class Function>
task<> run_kept(Function function)
{
    co_await function();
}

} // namespace detail

/// Coroutines that are started together, run beside each other and are awaited together.
///
///     brood::task_group downloads(8);       // at most eight at a time
///     for (auto& url : urls)
///         downloads.start(fetch(url));
///     co_await downloads.join();
///
/// The first exception of a member cancels all others, and comes out of join(). A cancelled join()
/// cancels all. For members with results see `brood::all`.
///
/// A group that is dropped cancels its members and waits for nothing: each goes on until it notices
/// at its next suspension, in a later turn of the loop. What a member refers to has to live until
/// then, so give it values, or await join() on every path. For one loop, one thread.
class task_group
{
public:
    /// So many at a time that none ever waits for its start.
    static constexpr std::size_t unlimited = SIZE_MAX;

    /// An empty group on the default executor. Throws std::invalid_argument when no member at all
    /// could run.
    explicit task_group(std::size_t at_most = unlimited);

    /// The same on a loop of one's own.
    explicit task_group(asio::any_io_executor executor, std::size_t at_most = unlimited);

    task_group(task_group&&) noexcept = default;
    task_group& operator=(task_group&& other) noexcept;
    ~task_group();

    /// Adds a coroutine; members may add more while they run, and while the group is awaited.
    ///
    /// It begins in a later turn of the loop: at once, or as soon as fewer than `at_most` run, in
    /// the order of the calls. After a failure or cancel(), until join() has told, it is dropped
    /// instead and never runs.
    void start(task<> member);

    /// Adds what a function gives. The function is kept as long as its coroutine runs, so that a
    /// lambda may be a coroutine and capture what it needs.
    template <std::invocable Function>
    void start(Function function)
    {
        static_assert(std::is_same_v<std::invoke_result_t<Function&>, task<>>,
                      "brood: a member of a task_group is a brood::task<>, or a function without "
                      "parameters that returns one; for results see brood::all()");
        start(detail::run_kept(std::move(function)));
    }

    /// Suspends until no member is left, those that were added meanwhile included; not at all when
    /// there is none.
    ///
    /// Throws the first exception of a member, once all others, which it has cancelled, have ended;
    /// what those throw is lost. Cancelled itself, it cancels all members, waits until they have
    /// ended, and throws operation_aborted. Any number may await it, and are told the same; then
    /// the group is as new.
    task<> join();

    /// Suspends until one more member would run at once: a loop that awaits it before each start()
    /// holds no more than `at_most` members, however many it starts.
    ///
    /// Of a group that has failed it throws what join() throws, when join() would; of one that was
    /// cancelled, operation_aborted. Cancelled itself it throws operation_aborted, and the group
    /// goes on.
    task<> room();

    /// Cancels (terminally) all members that run, and drops those that have not begun. To await
    /// their end is the business of join(), which counts their operation_aborted as no failure.
    void cancel();

    /// How many members have begun and not ended.
    std::size_t running() const noexcept;

    /// How many members wait for their start.
    std::size_t waiting() const noexcept;

    /// Whether no member is left: join() would not suspend.
    bool empty() const noexcept { return running() + waiting() == 0; }

private:
    std::shared_ptr<detail::task_group_core> core_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/base/impl/task_group.ipp>
#endif
