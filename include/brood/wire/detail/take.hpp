// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/codec/archive.hpp>
#include <brood/codec/message.hpp>
#include <brood/wire/attachment.hpp>
#include <brood/wire/internal/link.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace brood::detail
{

/// What stands in message<...>: a message alone, or one that carries objects.
template <class Wanted>
struct wanted
{
    using message = Wanted;

    static constexpr std::uint64_t fingerprint() { return message_fingerprint<Wanted>(); }

    static Wanted make(Wanted value, arrival&, link&) { return value; }
};

template <class Message, class... Objects>
struct wanted<carrying<Message, Objects...>>
{
    using message = Message;

    static constexpr std::uint64_t fingerprint() { return message_fingerprint<Message>(); }

    static carrying<Message, Objects...> make(Message value, arrival& from, link& by)
    {
        if (from.descriptors.size() != sizeof...(Objects))
            throw error(errc::wrong_descriptor,
                        by.peer() + ": a " + std::string(message_name<Message>()) + " came with " +
                            std::to_string(from.descriptors.size()) + " descriptors, where " +
                            std::to_string(sizeof...(Objects)) + " were asked for");
        std::size_t place = 0;
        // A braced list is evaluated from left to right.
        return {std::move(value), std::tuple<Objects...>{object<Objects>(from, place++, by)...}};
    }

private:
    template <class Object>
    static Object object(arrival& from, std::size_t place, link& by)
    {
        auto made = make_object<Object>(std::move(from.descriptors[place]), by.executor());
        if (!made)
            throw error(errc::wrong_descriptor, by.peer() + ": descriptor " +
                                                    std::to_string(place + 1) + " beside a " +
                                                    std::string(message_name<Message>()) +
                                                    " is of another kind than was asked for");
        return std::move(*made);
    }
};

template <class Message>
struct wanted<carrying<Message, std::vector<descriptor>>>
{
    using message = Message;

    static constexpr std::uint64_t fingerprint() { return message_fingerprint<Message>(); }

    static carrying<Message, std::vector<descriptor>> make(Message value, arrival& from, link&)
    {
        return {std::move(value), std::move(from.descriptors)};
    }
};

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

    static constexpr std::uint64_t fingerprint() { return message_fingerprint<Message>(); }

    static carrying_if_room<Message> make(Message value, arrival& from, link&)
    {
        descriptor object;
        if (!from.descriptors.empty())
            object = std::move(from.descriptors.front());
        return {std::move(value), std::move(object), from.descriptors_lost};
    }
};

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

inline void check_descriptors(const arrival& taken, const link& by)
{
    if (taken.descriptors_lost)
        throw error(errc::descriptors_lost,
                    by.peer() +
                        ": a message came, but its descriptors did not fit into the limit of "
                        "open files; its sender has them again");
}

/// Decodes a payload; bytes that are no such value end the link, as its peer is broken.
template <class Message>
Message decode_from(link& by, std::span<const std::byte> payload)
{
    try
    {
        return decode<Message>(payload);
    }
    catch (const error& wrong)
    {
        by.fail(error(errc::malformed,
                      "a " + std::string(message_name<Message>()) + " of which " + wrong.text()));
        by.rethrow_failure();
        throw;
    }
}

/// Takes the oldest of a queue as the type it must have.
template <class Wanted>
Wanted take(link& by, arrival_queue& from)
{
    using message = typename wanted<Wanted>::message;
    auto value = decode_from<message>(by, by.payload(from.front()));
    auto taken = by.pop(from);
    if constexpr (!requires { wanted<Wanted>::bears_loss; })
        check_descriptors(taken, by);
    return wanted<Wanted>::make(std::move(value), taken, by);
}

template <class... Wanted>
[[noreturn]] void throw_wrong_type(link& by, arrival_queue& queue)
{
    std::string asked;
    ((asked += (asked.empty() ? "" : " or ") +
               std::string(message_name<typename wanted<Wanted>::message>())),
     ...);
    auto fingerprint = queue.front().content.header.fingerprint;
    throw error(errc::wrong_type, by.peer() + ": the next message is a " + by.name_of(fingerprint) +
                                      ", where a " + asked + " was asked for; ask for its type");
}

/// Takes the oldest of a queue as the one of these types that it has. Another type stays where it
/// is.
template <class... Wanted>
one_of_t<Wanted...> take_one(link& by, arrival_queue& queue)
{
    (check_message<typename wanted<Wanted>::message>(), ...);
    auto fingerprint = queue.front().content.header.fingerprint;
    if constexpr (sizeof...(Wanted) == 1)
    {
        if (fingerprint == (wanted<Wanted>::fingerprint(), ...))
            return (take<Wanted>(by, queue), ...);
    }
    else
    {
        std::optional<one_of_t<Wanted...>> result;
        (void)((fingerprint == wanted<Wanted>::fingerprint() &&
                (result.emplace(std::in_place_type<Wanted>, take<Wanted>(by, queue)), true)) ||
               ...);
        if (result)
            return std::move(*result);
    }
    throw_wrong_type<Wanted...>(by, queue);
}

} // namespace brood::detail
