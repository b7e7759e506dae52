// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/codec/archive_reader.hpp>
#include <brood/codec/message.hpp>
#include <brood/process/worker_limits.hpp>
#include <brood/wire/attachment.hpp>
#include <brood/wire/internal/handler.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// What a pool and its workers say to each other, as messages of their channel.

namespace brood::detail
{

/// What does not cross as bytes: it travels beside the message.
template <class Type>
inline constexpr bool is_companion =
    std::is_same_v<Type, descriptor> || std::is_same_v<Type, shared_bytes> || asio_object<Type>;

/// Whether somebody may wait for its end: its copies here are not kept for longer than needed.
template <class Type>
inline constexpr bool has_another_end = is_companion<Type> && !std::is_same_v<Type, shared_bytes>;

/// What of a parameter crosses as bytes.
template <class Type>
using written_part = std::conditional_t<is_companion<Type>, nothing, Type>;

/// The first message to a worker: how many calls it works on at once. The file of its board is
/// beside it, where there is one.
struct board_offer
{
    std::uint32_t in_flight = 1;
    std::optional<worker_limits> limits;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(in_flight);
        archive_optional<worker_limits>(archive, limits);
    }
};

/// Which call it is, and what the function may ask about it.
struct call_head
{
    std::uint32_t place = 0;   ///< Of its worker, for as long as it is there.
    std::uint64_t call = 0;    ///< Its number, another one for each time that it is begun.
    std::uint32_t attempt = 1; ///< The how manieth time.
    std::int64_t deadline = 0; ///< Nanoseconds of the steady clock, which processes share; or 0.
                               ///< Below 0, to another machine, how many are left.

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(place, call, attempt, deadline);
    }
};

/// Call the function with these.
template <class Arguments>
struct call_request;

template <class... Types>
struct call_request<std::tuple<Types...>>
{
    call_head head;
    std::tuple<written_part<Types>...> arguments;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(head);
        std::apply([&](auto&... each) { (archive(each), ...); }, arguments);
    }
};

/// The head of a request, which comes first, whatever the arguments are.
inline call_head head_of(std::span<const std::byte> request)
{
    call_head head;
    archive_reader reader(request);
    reader(head);
    return head;
}

/// The whole of it. Throws what its types throw.
template <class Request>
Request read_request(std::span<const std::byte> bytes)
{
    Request request{};
    archive_reader reader(bytes);
    reader(request);
    reader.end();
    return request;
}

/// Nobody wants the result of this call any more.
struct call_cancelled
{
    std::uint32_t place = 0;
    std::uint64_t call = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(place, call);
    }
};

/// The worker has begun this call, and has what travelled beside it.
struct call_begun
{
    std::uint32_t place = 0;
    std::uint64_t call = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(place, call);
    }
};

/// Which call has ended, and how long it took.
struct call_tail
{
    std::uint32_t place = 0;
    std::uint64_t call = 0;
    std::uint64_t nanoseconds = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(place, call, nanoseconds);
    }
};

template <class Value>
struct call_reply
{
    call_tail tail;
    Value value;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(tail, value);
    }
};

/// The function threw, or could not be called.
struct call_failure
{
    call_tail tail;
    std::string type;
    std::string text;
    bool lacks_room = false; ///< For the descriptors beside the arguments.

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(tail, type, text, lacks_room);
    }
};

/// How a result crosses.
template <class Result>
struct crossing
{
    using written = written_part<Result>;

    static written take_written(Result& result)
    {
        if constexpr (is_companion<Result>)
            return {};
        else
            return std::move(result);
    }

    static std::vector<descriptor> beside(Result& result)
    {
        if constexpr (is_companion<Result>)
            return take_descriptors(std::move(result));
        else
            return {};
    }

    static Result make(written&& value, companions& beside, link& by)
    {
        if constexpr (is_companion<Result>)
            return std::move(
                wanted<carrying<nothing, Result>>::make({}, beside, by).template object<0>());
        else
            return std::move(value);
    }
};

template <>
struct crossing<void>
{
    using written = nothing;
};

template <class Message, class... Objects>
struct crossing<carrying<Message, Objects...>>
{
    using written = Message;

    static Message take_written(carrying<Message, Objects...>& result)
    {
        return std::move(result.message);
    }

    static std::vector<descriptor> beside(carrying<Message, Objects...>& result)
    {
        return std::apply([](auto&... each) { return take_descriptors(std::move(each)...); },
                          result.objects);
    }

    static carrying<Message, Objects...> make(Message&& value, companions& beside, link& by)
    {
        return wanted<carrying<Message, Objects...>>::make(std::move(value), beside, by);
    }
};

} // namespace brood::detail
