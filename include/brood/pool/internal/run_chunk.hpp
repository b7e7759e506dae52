// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/signature.hpp>
#include <brood/base/task.hpp>
#include <brood/codec/archive_reader.hpp>
#include <brood/pool/internal/chunk.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace brood::detail
{

/// Whether somebody waits for the current call; true outside of one.
bool is_wanted() noexcept;

/// What is told of the failure of an item of the current call.
item_failure told_failure(const std::exception_ptr& thrown);

/// Collects the outcomes of a chunk while it is computed.
class chunk_answer
{
public:
    explicit chunk_answer(const chunk_request& request)
        : most_time_(request.most_time), most_bytes_(request.most_bytes)
    {
    }

    template <class... Value>
    void add_value(const Value&... value)
    {
        outcomes_.add(outcome_kind::value, value...);
    }

    void add_failure(const std::exception_ptr& thrown)
    {
        outcomes_.add(outcome_kind::failure, told_failure(thrown));
        ++failed_;
    }

    /// Whether what is left should go to somebody else.
    bool is_enough() const
    {
        if (outcomes_.empty())
            return false;
        if (most_bytes_ != 0 && outcomes_.size() >= most_bytes_)
            return true;
        // The clock costs as much as a small item.
        auto is_time = outcomes_.count() < 64 || outcomes_.count() % 16 == 0;
        return most_time_ != 0 && is_time && elapsed() >= most_time_;
    }

    chunk_reply take()
    {
        chunk_reply reply;
        reply.told = outcomes_.count();
        reply.failed = failed_;
        reply.nanoseconds = elapsed();
        reply.outcomes = outcomes_.take();
        return reply;
    }

private:
    using clock = std::chrono::steady_clock;

    std::uint64_t elapsed() const
    {
        std::chrono::nanoseconds time = clock::now() - begin_;
        return static_cast<std::uint64_t>(time.count());
    }

    clock::time_point begin_ = clock::now();
    std::uint64_t most_time_;
    std::uint64_t most_bytes_;
    std::uint32_t failed_ = 0;
    chunk_writer outcomes_;
};

/// The arguments that an item consists of.
template <class Arguments>
Arguments read_item(std::span<const std::byte> bytes)
{
    Arguments arguments{};
    try
    {
        archive_reader reader(bytes);
        std::apply([&](auto&... each) { (void(reader(each)), ...); }, arguments);
        reader.end();
    }
    catch (...)
    {
        rethrow_malformed();
    }
    return arguments;
}

/// Calls a plain function for one item.
template <class Arguments, class Function>
void answer_item(chunk_answer& to, std::span<const std::byte> item, Function& function)
{
    using result = decltype(std::apply(function, std::declval<Arguments>()));
    try
    {
        auto arguments = read_item<Arguments>(item);
        if constexpr (std::is_void_v<result>)
        {
            std::apply(function, std::move(arguments));
            to.add_value();
        }
        else
        {
            to.add_value(std::apply(function, std::move(arguments)));
        }
    }
    catch (...)
    {
        to.add_failure(std::current_exception());
    }
}

/// Awaits the call of a coroutine for one item. Its arguments are kept until it has ended, as it
/// may have taken references to them.
template <class Value>
task<> keep_value(chunk_answer& to, [[maybe_unused]] std::shared_ptr<void> arguments,
                  task<Value> call)
{
    if constexpr (std::is_void_v<Value>)
    {
        co_await std::move(call);
        to.add_value();
    }
    else
    {
        auto value = co_await std::move(call);
        to.add_value(value);
    }
}

/// What a worker does with a chunk: calls a plain function for each item, one after the other, and
/// tells what came of each. A failed item is an outcome as others are. Between two items it looks
/// whether anybody still wants them.
///
/// `Arguments` is the tuple of the parameters of the function without references. Throws
/// brood::error (malformed) for a chunk that cannot be right.
template <class Arguments, class Function>
chunk_reply compute_chunk(Function& function, const chunk_request& request)
{
    chunk_answer answer(request);
    chunk_reader items(request.items);
    for (auto left = request.count; left > 0 && !answer.is_enough() && is_wanted(); --left)
        answer_item<Arguments>(answer, items.next(), function);
    return answer.take();
}

/// What calls a coroutine for one item, and adds its value to the answer.
using item_call = std::function<task<>(chunk_answer&, std::span<const std::byte>)>;

task<chunk_reply> await_chunk(item_call call, chunk_request request);

/// The same for a coroutine, which has to live until this ends. Cancelled, it throws what the
/// coroutine throws then.
template <class Arguments, class Function>
task<chunk_reply> run_chunk(Function& function, chunk_request request)
{
    auto call = [&function](chunk_answer& to, std::span<const std::byte> item)
    {
        auto arguments = std::make_shared<Arguments>(read_item<Arguments>(item));
        return keep_value(to, arguments, std::apply(function, std::move(*arguments)));
    };
    return await_chunk(call, std::move(request));
}

} // namespace brood::detail

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/pool/impl/run_chunk.ipp>
#endif
