// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/codec/message.hpp>
#include <brood/pool/internal/chunk.hpp>
#include <brood/pool/internal/item_source.hpp>
#include <brood/pool/internal/map_run.hpp>
#include <brood/pool/map_options.hpp>
#include <brood/pool/outcome.hpp>
#include <brood/pool/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace brood
{

/// The result of an item, and the place of the item in its range, counted from 0.
template <class Result>
struct completed_item
{
    std::uint64_t index = 0;
    Result value{};
};

namespace detail
{

/// Encodes one item of a range as the arguments of a call.
template <class Arguments>
struct item_encoder;

template <class... Parameters>
struct item_encoder<std::tuple<Parameters...>>
{
    template <class Item>
    static void add(chunk_writer& to, const Item& item)
    {
        if constexpr (sizeof...(Parameters) == 1 &&
                      (std::is_convertible_v<const Item&, Parameters> && ...))
        {
            (add_as<Parameters>(to, item), ...);
        }
        else
        {
            static_assert(
                std::is_convertible_v<const Item&, std::tuple<Parameters...>>,
                "brood: the items of the range are no arguments of the pool's function: an "
                "item is its one parameter, or a std::tuple of all");
            std::tuple<Parameters...> arguments(item);
            std::apply([&](const auto&... each) { to.add(each...); }, arguments);
        }
    }

private:
    template <class Parameter, class Item>
    static void add_as(chunk_writer& to, const Item& item)
    {
        const Parameter& converted = item; // which is a temporary, when it is another type
        to.add(converted);
    }
};

template <class Arguments, class Item>
bool add_item(map_core& to, const Item& item)
{
    try
    {
        item_encoder<Arguments>::add(open_chunk(to), item);
    }
    catch (...)
    {
        return item_refused(to, std::current_exception());
    }
    return item_added(to);
}

/// Reads a range into a map, while there is room.
template <class Arguments, class Source>
task<> feed(std::shared_ptr<map_core> to, Source source)
{
    std::exception_ptr thrown;
    try
    {
        for (bool more = true; more;)
        {
            bool room = true;
            if constexpr (is_awaited_source<Source>)
            {
                auto item = co_await source.next();
                more = item.has_value();
                if (more)
                    room = add_item<Arguments>(*to, *item);
            }
            else
            {
                more =
                    source.next([&](const auto& item) { room = add_item<Arguments>(*to, item); });
            }
            if (!room)
                co_await map_room(to);
        }
    }
    catch (...)
    {
        thrown = std::current_exception();
    }
    end_of_items(*to, thrown);
}

template <class Result>
outcome<Result> make_outcome(const map_core& from, const taken_item& taken)
{
    if (taken.failure)
        return {taken.index, taken.failure};
    try
    {
        auto bytes = taken.value;
        if (bytes.empty() || bytes[0] > std::byte{1})
            throw error(errc::malformed, "an outcome that is neither a value nor a failure");
        auto rest = bytes.subspan(1);
        if (static_cast<outcome_kind>(bytes[0]) == outcome_kind::failure)
            return {taken.index, failure_of(from, taken, rest)};
        if constexpr (std::is_same_v<Result, std::monostate>)
            return {taken.index, Result()};
        else
            return {taken.index, decode<Result>(rest)};
    }
    catch (...)
    {
        return {taken.index, std::current_exception()};
    }
}

} // namespace detail

/// In which order a pool tells the results of a range.
using map_order = detail::map_run::order;

/// The results of a range that a pool works on: `pool.map(range)`, `pool.as_completed(range)`.
///
///     auto squares = pool.map(numbers);
///     while (auto one = co_await squares.next())
///         std::cout << *one << '\n';
///
/// Works only as far ahead as its window allows: whoever takes no results holds up the reading of
/// the range. Dropped, it cancels the calls that are under way. A range or stream that was given as
/// an lvalue has to live as long as this.
///
/// For a function that returns nothing, `Result` is std::monostate.
template <class Result, map_order order>
class map_results
{
public:
    /// What next() gives: the result, and beside it the index when they come as they are completed.
    using item = std::conditional_t<order == map_order::as_given, Result, completed_item<Result>>;

    explicit map_results(detail::map_run run) : run_(std::move(run)) {}

    /// The next result, or nothing when all have been told.
    ///
    /// Does not suspend when a result is here already; otherwise it goes on in a turn of the loop
    /// after one came. Throws what the call of this item ended with, a remote_error or what became
    /// of its worker; the next call gives the result of the item behind it. At the end it throws
    /// what the range itself threw, once. Cancelled, it throws operation_aborted and loses nothing.
    task<std::optional<item>> next() { return next_as<item>(run_.core()); }

    /// The same, but a failed item is a value: see outcome.
    task<std::optional<outcome<Result>>> next_outcome()
    {
        return next_as<outcome<Result>>(run_.core());
    }

    /// How far it is.
    brood::progress progress() const { return detail::progress_of(*run_.core()); }

private:
    template <class Told>
    static task<std::optional<Told>> next_as(std::shared_ptr<detail::map_core> from)
    {
        for (bool more = true; more;)
        {
            if (auto taken = detail::take_item(*from))
                co_return as<Told>(detail::make_outcome<Result>(*from, *taken));
            more = co_await detail::item_ready(from);
        }
        co_return std::nullopt;
    }

    template <class Told>
    static Told as(outcome<Result> made)
    {
        if constexpr (std::is_same_v<Told, outcome<Result>>)
            return made;
        else if constexpr (order == map_order::as_given)
            return std::move(made).value();
        else
            return {made.index(), std::move(made).value()};
    }

    detail::map_run run_;
};

namespace detail
{

/// Begins a map: reads the range when the loop turns next.
template <class Result, map_order order, class Arguments, class Range>
map_results<Result, order> begin_map(asio::any_io_executor executor, chunk_runner runner,
                                     Range&& range, const map_options& options)
{
    auto source = make_item_source(std::forward<Range>(range));
    map_run run(std::move(executor), std::move(runner), options, order, source.size());
    run.start(feed<Arguments>(run.core(), std::move(source)));
    return map_results<Result, order>(std::move(run));
}

} // namespace detail
} // namespace brood
