// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <brood/base/internal/exception_text.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace brood
{

/// What came of one item of a range: its result, or the exception that its call ended with.
template <class Value>
class outcome
{
public:
    /// The result of the item with this index, counted from 0.
    outcome(std::uint64_t index, Value value) : index_(index), value_(std::move(value)) {}

    /// Its failure.
    outcome(std::uint64_t index, std::exception_ptr thrown)
        : index_(index), thrown_(std::move(thrown))
    {
    }

    /// The place of the item in its range, counted from 0.
    std::uint64_t index() const noexcept { return index_; }

    /// Whether there is a result.
    bool ok() const noexcept { return value_.has_value(); }

    explicit operator bool() const noexcept { return ok(); }

    /// The result. Throws what the call ended with when there is none.
    Value& value() &
    {
        rethrow();
        return *value_;
    }

    /// The same, to keep.
    Value value() &&
    {
        rethrow();
        return std::move(*value_);
    }

    /// What the call ended with; null when there is a result.
    const std::exception_ptr& failure() const noexcept { return thrown_; }

    /// What the failure says about itself; empty when there is a result.
    std::string text() const { return thrown_ ? detail::exception_text(thrown_) : std::string(); }

private:
    void rethrow() const
    {
        if (thrown_)
            std::rethrow_exception(thrown_);
    }

    std::uint64_t index_;
    std::optional<Value> value_; // one of these two
    std::exception_ptr thrown_;
};

} // namespace brood
