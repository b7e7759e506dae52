// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/signature.hpp>
#include <brood/base/task.hpp>

#include <concepts>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

namespace brood::detail
{

template <class Type>
inline constexpr bool is_optional = false;

template <class Value>
inline constexpr bool is_optional<std::optional<Value>> = true;

/// What is read by awaiting next() again and again, until it gives nothing.
template <class Type>
concept item_stream = requires(std::remove_reference_t<Type>& type)
{
    requires awaited<decltype(type.next())>::coroutine;
    requires is_optional<typename awaited<decltype(type.next())>::type>;
};

/// Reads a range from its begin to its end, once.
template <std::ranges::input_range View>
class range_source
{
public:
    explicit range_source(View view) : view_(std::move(view)) {}

    /// Calls with the next item, and gives false at the end, when there was none.
    template <class Take>
    bool next(Take take)
    {
        if (!at_) // a view may be moved until then
            at_.emplace(std::ranges::begin(view_));
        else if (*at_ != std::ranges::end(view_))
            ++*at_;
        if (*at_ == std::ranges::end(view_))
            return false;
        take(**at_);
        return true;
    }

    std::optional<std::uint64_t> size()
    {
        if constexpr (std::ranges::sized_range<View>)
            return static_cast<std::uint64_t>(std::ranges::size(view_));
        else
            return std::nullopt;
    }

private:
    View view_;
    std::optional<std::ranges::iterator_t<View>> at_;
};

/// Reads a coroutine stream: its own, or one that lives elsewhere.
template <class Stream>
class stream_source
{
public:
    explicit stream_source(Stream stream) : stream_(std::forward<Stream>(stream)) {}

    auto next() { return stream_.next(); }

    std::optional<std::uint64_t> size() const { return std::nullopt; }

private:
    Stream stream_; // a reference when it is somebody else's
};

/// What reads from a range or stream: from the caller's when it is an lvalue, from its own when it
/// is a temporary.
template <class Range>
auto make_item_source(Range&& range)
{
    if constexpr (item_stream<Range>)
    {
        return stream_source<Range>(std::forward<Range>(range));
    }
    else
    {
        static_assert(std::ranges::input_range<Range>,
                      "brood: a pool maps a range, or a stream whose next() is a "
                      "brood::task<std::optional<Item>>");
        return range_source(std::views::all(std::forward<Range>(range)));
    }
}

/// Whether a source has to be awaited.
template <class Source>
inline constexpr bool is_awaited_source = false;

template <class Stream>
inline constexpr bool is_awaited_source<stream_source<Stream>> = true;

} // namespace brood::detail
