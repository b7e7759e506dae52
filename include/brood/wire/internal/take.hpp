// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/asio.hpp>
#include <brood/base/internal/deadline.hpp>
#include <brood/base/task.hpp>
#include <brood/codec/archive.hpp>
#include <brood/codec/message.hpp>
#include <brood/wire/attachment.hpp>
#include <brood/wire/internal/frame_writer.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace brood::detail
{

class link;

/// What arrives in order and waits to be taken stands in one of these.
enum class lane_name : std::uint8_t
{
    messages,
    requests,
    controls, ///< For what the floors above say to each other.
};

/// The oldest frame of a lane.
struct waiting_frame
{
    enum class state
    {
        here,
        not_yet,
        never, ///< The other side has closed.
    };

    state is = state::not_yet;
    std::uint64_t fingerprint = 0;
    std::uint64_t number = 0;           ///< Of a request, which its reply carries.
    std::span<const std::byte> payload; ///< Until the frame is taken, or more arrives.
};

/// Descriptors that came with a frame.
struct companions
{
    std::vector<descriptor> descriptors;
    bool lost = false; ///< They did not fit into this process; the sender has them still.
};

/// Looks at the oldest frame of a lane. Throws why the link failed, once none is left.
waiting_frame oldest_of(link& from, lane_name where);

/// Waits for a frame or the end; what was sent before leaves first. At the deadline it throws
/// errc::timed_out. The link must live until then.
task<> arrival_or_end(std::shared_ptr<link> from, lane_name where, deadline until);

/// Takes the oldest frame out; its payload is gone then. Its sender learns who has the descriptors.
companions take_oldest(link& from, lane_name where);

const std::string& peer_of(const link& of);

asio::any_io_executor executor_of(link& of);

/// Ends the link for bytes that could not be decoded: its peer is broken. Of a frame in a lane:
/// those behind it are not handed out.
[[noreturn]] void fail_decoding(link& from, std::string_view name, bool in_lane);

[[noreturn]] void throw_wrong_type(link& from, std::uint64_t came, const std::string& asked);

[[noreturn]] void throw_lost(const link& from);

[[noreturn]] void throw_wrong_count(const link& from, std::string_view name, std::size_t came,
                                    std::size_t asked);

[[noreturn]] void throw_wrong_kind(const link& from, std::string_view name, std::size_t place);

bool is_elsewhere(const link& to) noexcept;

/// A message and the blocks beside it, copied, for another machine. It has a name of its own.
template <class Message>
struct with_copies
{
    Message message{};
    std::vector<std::string> blocks;

    template <class Archive>
    void load(Archive& archive)
    {
        std::uint32_t count = 0;
        archive(message, count);
        for (; count != 0; --count)
            archive(blocks.emplace_back());
    }
};

/// The same, to be written.
template <class Message>
struct copies_to_send
{
    const Message& message;
    std::vector<std::string> blocks;

    template <class Archive>
    void save(Archive& archive) const
    {
        auto count = static_cast<std::uint32_t>(blocks.size());
        archive(message, count);
        for (auto& each : blocks)
            archive(each);
    }
};

template <class... Objects>
inline constexpr bool are_copied = sizeof...(Objects) != 0 &&
                                   (std::same_as<std::remove_cvref_t<Objects>, copied_bytes> &&
                                    ...);

/// Sends a message whose blocks are copied into it.
template <class Message, class... Blocks>
bool send_copies(link& to, const Message& value, const Blocks&... beside)
{
    auto text = [](std::span<const std::byte> bytes)
    {
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    copies_to_send<Message> copies{value, {text(beside.block().bytes())...}};
    frame_writer frame(to, frame_kind::message, label_of<with_copies<Message>>());
    frame.write(copies);
    return frame.send();
}

/// What stands in message<...>: a message alone, or one that carries objects.
template <class Wanted>
struct wanted
{
    using message = Wanted;

    static Wanted make(Wanted value, companions&, link&) { return value; }
};

template <class Message, class... Objects>
struct wanted<carrying<Message, Objects...>>
{
    using message = Message;

    static carrying<Message, Objects...> make(Message value, companions& beside, link& by)
    {
        auto& came = beside.descriptors;
        if (came.size() != sizeof...(Objects))
            throw_wrong_count(by, message_name<Message>(), came.size(), sizeof...(Objects));
        std::size_t place = 0;
        // A braced list is evaluated from left to right.
        return {std::move(value), std::tuple<Objects...>{object<Objects>(came, place++, by)...}};
    }

private:
    template <class Object>
    static Object object(std::vector<descriptor>& came, std::size_t place, link& by)
    {
        auto made = make_object<Object>(std::move(came[place]), executor_of(by));
        if (!made)
            throw_wrong_kind(by, message_name<Message>(), place);
        return std::move(*made);
    }
};

template <class Message>
struct wanted<carrying<Message, std::vector<descriptor>>>
{
    using message = Message;

    static carrying<Message, std::vector<descriptor>> make(Message value, companions& beside, link&)
    {
        return {std::move(value), std::move(beside.descriptors)};
    }
};

/// Whether what is wanted may have come as copies.
template <class Wanted>
inline constexpr bool takes_copies = false;

template <class Message, class... Objects>
inline constexpr bool
    takes_copies<carrying<Message, Objects...>> = sizeof...(Objects) != 0 &&
                                                  (std::same_as<Objects, shared_bytes> && ...);

template <class Message, class... Objects>
carrying<Message, Objects...> make_of_copies(link& by, with_copies<Message> came,
                                             std::type_identity<carrying<Message, Objects...>>)
{
    if (came.blocks.size() != sizeof...(Objects))
        throw_wrong_count(by, message_name<Message>(), came.blocks.size(), sizeof...(Objects));
    auto next = came.blocks.begin();
    auto block = [&]
    {
        auto& text = *next++;
        return shared_bytes::copy_of(std::as_bytes(std::span(text.data(), text.size())));
    };
    // A braced list is evaluated from left to right.
    return {std::move(came.message),
            std::tuple<Objects...>{(static_cast<void>(sizeof(Objects)), block())...}};
}

/// Stands for carrying<Message, descriptor> where there may be none beside it, or this process had
/// no room for it.
template <class Message>
struct carrying_if_room
{
    Message message;
    descriptor object;
    bool lost = false; ///< For want of room.
};

template <class Message>
struct wanted<carrying_if_room<Message>>
{
    using message = Message;

    static constexpr bool bears_loss = true;

    static carrying_if_room<Message> make(Message value, companions& beside, link&)
    {
        descriptor object;
        if (!beside.descriptors.empty())
            object = std::move(beside.descriptors.front());
        return {std::move(value), std::move(object), beside.lost};
    }
};

template <class Wanted>
using message_of_t = typename wanted<Wanted>::message;

/// The value itself for one type, a variant for several.
template <class... Wanted>
struct one_of
{
    using type = std::variant<Wanted...>;
};

template <class Wanted>
struct one_of<Wanted>
{
    using type = Wanted;
};

template <class... Wanted>
using one_of_t = typename one_of<Wanted...>::type;

/// Decodes a payload; bytes that are no such value end the link, as its peer is broken.
template <class Message>
Message decode_from(link& by, std::span<const std::byte> payload, bool in_lane = false)
{
    try
    {
        return decode<Message>(payload);
    }
    catch (...)
    {
        fail_decoding(by, message_name<Message>(), in_lane);
    }
}

/// Whether a frame of this type can be taken as what is wanted.
template <class Wanted>
bool is_as_wanted(std::uint64_t came)
{
    using message = message_of_t<Wanted>;
    if constexpr (takes_copies<Wanted>)
        if (came == message_fingerprint<with_copies<message>>())
            return true;
    return came == message_fingerprint<message>();
}

/// Takes the oldest frame of a lane as the type that it has.
template <class Wanted>
Wanted take(link& by, lane_name where, const waiting_frame& oldest)
{
    auto payload = oldest.payload;
    if constexpr (takes_copies<Wanted>)
    {
        using copies = with_copies<message_of_t<Wanted>>;
        if (oldest.fingerprint == message_fingerprint<copies>())
        {
            auto came = decode_from<copies>(by, payload, true);
            take_oldest(by, where);
            return make_of_copies(by, std::move(came), std::type_identity<Wanted>());
        }
    }
    auto value = decode_from<message_of_t<Wanted>>(by, payload, true);
    auto beside = take_oldest(by, where);
    if constexpr (!requires { wanted<Wanted>::bears_loss; })
        if (beside.lost)
            throw_lost(by);
    return wanted<Wanted>::make(std::move(value), beside, by);
}

/// "answer or i32", for people.
template <class... Wanted>
std::string names_of()
{
    std::string result;
    ((result += (result.empty() ? "" : " or "), result += message_name<message_of_t<Wanted>>()),
     ...);
    return result;
}

/// Takes it as the one of these types that it has. Another type stays where it is.
template <class... Wanted>
one_of_t<Wanted...> take_one(link& by, lane_name where, const waiting_frame& oldest)
{
    (check_message<message_of_t<Wanted>>(), ...);
    auto came = oldest.fingerprint;
    if constexpr (sizeof...(Wanted) == 1)
    {
        if ((is_as_wanted<Wanted>(came), ...))
            return (take<Wanted>(by, where, oldest), ...);
    }
    else
    {
        std::optional<one_of_t<Wanted...>> result;
        (void)((is_as_wanted<Wanted>(came) &&
                (result.emplace(std::in_place_type<Wanted>, take<Wanted>(by, where, oldest)),
                 true)) ||
               ...);
        if (result)
            return std::move(*result);
    }
    throw_wrong_type(by, came, names_of<Wanted...>());
}

/// The next value of a lane, or nothing when none will come any more. Does not suspend when it is
/// here.
template <class... Wanted>
task<std::optional<one_of_t<Wanted...>>> receive(std::shared_ptr<link> from, lane_name where,
                                                 deadline until)
{
    auto oldest = oldest_of(*from, where);
    while (oldest.is == waiting_frame::state::not_yet)
    {
        co_await arrival_or_end(from, where, until);
        oldest = oldest_of(*from, where);
    }
    if (oldest.is == waiting_frame::state::never)
        co_return std::nullopt;
    co_return take_one<Wanted...>(*from, where, oldest);
}

} // namespace brood::detail

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/wire/impl/frames.ipp>
#endif
