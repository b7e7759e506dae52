// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/base/task_group.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace brood
{
namespace detail
{

// Runs them as one group on the executor of the coroutine that awaits this.
task<> join_all(std::vector<task<>> members, std::size_t at_most);

template <class Value>
using result_of = std::conditional_t<std::is_void_v<Value>, std::monostate, Value>;

template <class Value>
using place_for = std::optional<result_of<Value>>;

template <class Value, class Places>
task<> store(task<Value> member, [[maybe_unused]] std::shared_ptr<Places> kept,
             place_for<Value>& place)
{
    if constexpr (std::is_void_v<Value>)
    {
        co_await std::move(member);
        place.emplace();
    }
    else
    {
        auto value = co_await std::move(member);
        place.emplace(std::move(value));
    }
}

template <class... Values>
task<std::tuple<result_of<Values>...>>
collect(std::vector<task<>> members, std::shared_ptr<std::tuple<place_for<Values>...>> places)
{
    co_await join_all(std::move(members), task_group::unlimited);
    auto take = [](auto&... each)
    {
        return std::tuple<result_of<Values>...>(std::move(*each)...);
    };
    co_return std::apply(take, *places);
}

template <class Value>
task<std::vector<Value>> collect_each(std::vector<task<>> members, std::size_t at_most,
                                      std::shared_ptr<std::vector<place_for<Value>>> places)
{
    co_await join_all(std::move(members), at_most);
    std::vector<Value> results;
    results.reserve(places->size());
    for (auto& each : *places)
        results.push_back(std::move(*each));
    co_return results;
}

} // namespace detail

/// Runs coroutines beside each other and gives what each has given, in the order of the arguments;
/// std::monostate for one that gives nothing.
///
///     auto results = co_await brood::all(user(7), orders(7));
///     auto& [name, open] = results;
///
/// They begin, each in a later turn of the loop, when this is awaited. It suspends until all have
/// ended. The first exception cancels (terminally) the others, and comes out once they have ended;
/// what those throw is lost, and so are results. Cancelled, it cancels all, waits until they have
/// ended, and throws operation_aborted.
///
/// Keep the tuple in a variable before it is taken apart: g++ 15 forgets to destroy what
/// `auto [a, b] = co_await …` leaves.
template <class... Values>
task<std::tuple<detail::result_of<Values>...>> all(task<Values>... members)
{
    auto places = std::make_shared<std::tuple<detail::place_for<Values>...>>();
    std::vector<task<>> storing;
    storing.reserve(sizeof...(Values));
    auto add = [&](auto&... place)
    {
        (storing.push_back(detail::store<Values>(std::move(members), places, place)), ...);
    };
    std::apply(add, *places);
    return detail::collect<Values...>(std::move(storing), std::move(places));
}

/// The same for any number of one kind, at most so many at a time: the results in their order.
template <class Value>
task<std::vector<Value>> all(std::vector<task<Value>> members,
                             std::size_t at_most = task_group::unlimited)
{
    auto places = std::make_shared<std::vector<detail::place_for<Value>>>(members.size());
    std::vector<task<>> storing;
    storing.reserve(members.size());
    for (std::size_t each = 0; each < members.size(); ++each)
        storing.push_back(detail::store<Value>(std::move(members[each]), places, (*places)[each]));
    return detail::collect_each<Value>(std::move(storing), at_most, std::move(places));
}

/// The same for coroutines that give nothing.
task<> all(std::vector<task<>> members, std::size_t at_most = task_group::unlimited);

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/base/impl/all.ipp>
#endif
