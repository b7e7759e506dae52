// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/loop.hpp>
#include <brood/base/task.hpp>
#include <brood/cluster/event.hpp>
#include <brood/cluster/rolling.hpp>
#include <brood/pool/call_options.hpp>
#include <brood/pool/internal/pool_call.hpp>
#include <brood/pool/internal/pool_map.hpp>
#include <brood/pool/internal/serve_pool.hpp>
#include <brood/pool/map.hpp>
#include <brood/pool/pool_settings.hpp>
#include <brood/pool/pool_stats.hpp>
#include <brood/pool/this_call.hpp>
#include <brood/pool/worker_lost.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace brood
{

/// What every pool can do, whatever it calls.
///
/// Belongs to one executor. Destroyed, it gives every call that is under way errc::closed, and ends
/// its workers in the background of the loop.
class any_pool
{
public:
    any_pool(any_pool&&) noexcept;
    any_pool& operator=(any_pool&& other) noexcept;
    ~any_pool();

    asio::any_io_executor executor() const;

    /// How many workers it keeps now.
    std::size_t size() const noexcept;

    /// Waits until every worker that it keeps can be given calls. False when it keeps none any
    /// more.
    task<bool> ready();

    /// Figures of the calls and of the workers.
    pool_stats stats() const;

    /// What happens to the workers, as any_cluster::events(). Throws errc::closed when the pool has
    /// ended before it had any.
    event_stream events();

    /// How far its calls are, and the items of its maps.
    brood::progress progress() const;

    /// Replaces all workers by new ones, as any_cluster::reload(); calls under way end in their old
    /// worker. Throws errc::closed when the pool has ended before it had any.
    task<reload_report> reload(const reload_options& options = {});

    /// Adds workers, or takes some away, until there are so many; from here on that is also the
    /// most that it starts by itself. One that goes finishes its calls.
    task<> scale(std::size_t size);

    /// Takes no more calls, and waits until all that it has taken have ended, and then its workers.
    task<> finish();

    /// Takes no more calls, gives those under way errc::closed, and waits until all workers have
    /// ended: each is asked to, and killed after pool_settings::grace.
    task<> stop();

protected:
    any_pool(asio::any_io_executor executor, const pool_settings& settings,
             detail::pool_function function);

    const std::shared_ptr<detail::pool_core>& core() const noexcept { return core_; }

private:
    void abandon() noexcept;

    std::shared_ptr<detail::pool_core> core_;
};

/// A function that is called in other processes as if it were here:
///
///     int fib(int number);
///
///     brood::pool<fib> pool;
///     int a = co_await pool(35);
///
/// `Function` is a function or captureless lambda, a coroutine `task<Result>(Args...)`, or a member
/// function: then each worker makes one object of its class, which is given the arguments of the
/// constructor below, before its first call. Arguments and results are messages; `shared_bytes`,
/// `descriptor` and Asio's sockets may stand among the parameters, and be the result, as may
/// `carrying<Message, Objects...>`.
///
/// A worker that dies takes the calls that it had begun with it, and nothing else: see worker_lost
/// and at_least_once.
template <auto Function>
class pool : public any_pool
{
    using told = detail::pool_signature<std::remove_cvref_t<decltype(Function)>>;
    using arguments = typename told::arguments;
    using call_type = detail::function_call<Function>;

public:
    /// What the function gives.
    using result = typename told::result;

    /// The pool with other options for one call.
    class with_options
    {
    public:
        with_options(std::shared_ptr<detail::pool_core> in, const call_options& options) noexcept
            : in_(std::move(in)), options_(options)
        {
        }

        template <class... Values>
        task<result> operator()(Values&&... values) const
        {
            return begin(in_, options_, std::forward<Values>(values)...).second;
        }

        /// As pool::try_call().
        template <class... Values>
        std::optional<task<result>> try_call(Values&&... values) const
        {
            auto [entered, call] = begin(in_, options_, std::forward<Values>(values)...);
            if (!entered)
                return std::nullopt;
            return std::move(call);
        }

        /// As pool::map(). A deadline is for each item, from when the pool is given it: each is a
        /// call of its own then, whatever map_options::chunk says, and none is fetched ahead.
        template <class Range>
        auto map(Range&& range, const map_options& options = {}) const
        {
            return begin_map<map_order::as_given>(in_, options_, std::forward<Range>(range),
                                                  options);
        }

        /// As pool::as_completed().
        template <class Range>
        auto as_completed(Range&& range, const map_options& options = {}) const
        {
            return begin_map<map_order::as_completed>(in_, options_, std::forward<Range>(range),
                                                      options);
        }

    private:
        std::shared_ptr<detail::pool_core> in_;
        call_options options_;
    };

    /// Starts the workers. `args` are for the object that each of them makes, when `Function` is a
    /// member function. Throws std::invalid_argument, with the reason, for settings of which no
    /// pool can be made.
    template <class... Args>
    explicit pool(const pool_settings& settings = {}, Args&&... args)
        : pool(default_executor(), settings, std::forward<Args>(args)...)
    {
    }

    template <class... Args>
    explicit pool(asio::any_io_executor executor, const pool_settings& settings = {},
                  Args&&... args)
        : any_pool(executor, settings, function(executor, std::forward<Args>(args)...))
    {
    }

    /// Calls the function in a worker and awaits what it gives.
    ///
    /// The call is in the queue when this returns, awaited or not; when the queue is full it waits
    /// for room once it is awaited. Throws remote_error for what the function threw, worker_lost
    /// when its worker ended, errc::timed_out when it was late, errc::closed when the pool ends,
    /// errc::too_large for arguments that no channel takes. Cancelled, or destroyed before the
    /// result is here, it is not begun, or is asked to stop, as call_options::deadline says.
    template <class... Values>
    task<result> operator()(Values&&... values) const
    {
        return begin(core(), {}, std::forward<Values>(values)...).second;
    }

    /// The same, or nothing when the queue is full.
    template <class... Values>
    std::optional<task<result>> try_call(Values&&... values) const
    {
        return with({}).try_call(std::forward<Values>(values)...);
    }

    /// Calls the function for each item of a range; gives the results in its order, see
    /// map_results.
    ///
    /// A range is whatever an input iterator can walk, or a stream, whose `next()` is a
    /// `task<std::optional<Item>>`; it may be endless, as it is read only as results are taken. An
    /// item is what the function takes, or a std::tuple of all that it takes. Small items travel
    /// together: see map_options. When a worker ends with several items, and calls may be tried
    /// again, each of them is tried alone, and only those that end their worker as often as
    /// `attempts` says fail; with at_most_once all items of the chunk fail with it.
    template <class Range>
    auto map(Range&& range, const map_options& options = {}) const
    {
        return with({}).map(std::forward<Range>(range), options);
    }

    /// The same, but each result comes as soon as it is there, with the index of its item.
    template <class Range>
    auto as_completed(Range&& range, const map_options& options = {}) const
    {
        return with({}).as_completed(std::forward<Range>(range), options);
    }

    /// With other options for one call: `co_await pool.with({.deadline = 2s})(35)`.
    with_options with(const call_options& options) const { return {core(), options}; }

private:
    template <class... Values>
    static std::pair<bool, task<result>> begin(std::shared_ptr<detail::pool_core> in,
                                               const call_options& options, Values&&... values)
    {
        (detail::check_temporary<Values>(), ...);
        constexpr bool enough = sizeof...(Values) == std::tuple_size_v<arguments>;
        static_assert(enough, "brood: a pool is called with as many arguments as its function has "
                              "parameters");
        static_assert(!enough || std::is_constructible_v<arguments, Values...>,
                      "brood: an argument does not convert to what the function of the pool takes "
                      "in its place");
        auto call = std::make_shared<call_type>(arguments(std::forward<Values>(values)...));
        detail::awaited_call awaited(std::move(in), call, options);
        auto entered = awaited.has_entered();
        return {entered, detail::result_of_call<result, Function>(std::move(awaited), call)};
    }

    template <map_order order, class Range>
    static auto begin_map(const std::shared_ptr<detail::pool_core>& in, const call_options& call,
                          Range&& range, const map_options& options)
    {
        static_assert(detail::mappable<told>::value,
                      "brood: what travels beside a message, descriptors and shared_bytes, cannot "
                      "be mapped; call the pool for each item");
        using kept = std::conditional_t<std::is_void_v<result>, std::monostate, result>;
        auto sized = options;
        if (call.deadline.count() > 0)
            sized.chunk = 1; // so that a late item is stopped alone
        auto runner = detail::pool_runner(in, call, &detail::summary_of_item<arguments>);
        return detail::begin_map<kept, order, arguments>(
            detail::executor_of(*in), std::move(runner), std::forward<Range>(range), sized);
    }

    template <class... Args>
    static detail::pool_function function(const asio::any_io_executor& executor, Args&&... args)
    {
        static_assert(told::has_state || sizeof...(Args) == 0,
                      "brood: arguments behind the settings of a pool are for the object whose "
                      "member function it calls");
        using state = typename told::state;
        static_assert(std::is_constructible_v<state, detail::stored_argument_t<Args>...>,
                      "brood: the object whose member function a pool calls cannot be made of "
                      "these arguments");
        detail::pool_function made;
        made.is_coroutine = told::is_coroutine;
        made.reply = message_fingerprint<typename told::reply>();
        made.take_reply = &call_type::take_reply;
        made.launch =
            detail::launch_entry<&detail::serve_pool<Function, detail::stored_argument_t<Args>...>>(
                executor, std::forward<Args>(args)...);
        return made;
    }
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/pool/impl/pool.ipp>
#endif
