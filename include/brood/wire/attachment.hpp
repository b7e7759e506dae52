// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/asio.hpp>
#include <brood/base/descriptor.hpp>
#include <brood/base/internal/assign_descriptor.hpp>
#include <brood/wire/shared_bytes.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace brood
{

/// A message with what travels beside it: what to ask `message<>` for when descriptors are
/// expected.
///
/// `Objects` are Asio objects (sockets, acceptors, pipes), `shared_bytes` or `descriptor`, in the
/// order they were sent; or one `std::vector<descriptor>` for any number. They are checked for
/// their kind before they are made: `co_await self.message<carrying<request,
/// asio::ip::tcp::socket>>()`.
template <class Message, class... Objects>
struct carrying
{
    Message message;
    std::tuple<Objects...> objects;

    /// What came beside the message, by its place: `taken->object()` is the first.
    template <std::size_t Place = 0>
    auto& object() noexcept
    {
        return std::get<Place>(objects);
    }
};

namespace detail
{

template <class Object>
concept asio_socket = requires(Object& object, typename Object::protocol_type protocol, int number)
{
    object.assign(protocol, number);
};

template <class Object>
concept asio_acceptor = asio_socket<Object> && requires(Object& object)
{
    object.listen(1);
};

template <class Object>
concept asio_stream = !asio_socket<Object> && requires(Object & object, int number)
{
    object.assign(number);
    object.native_handle();
};

template <class Object>
concept asio_object = asio_socket<Object> || asio_stream<Object>;

/// What the kernel says of a descriptor; -1 when it is no socket.
struct socket_kind
{
    int family = -1;
    int type = -1;
    bool listens = false;
};

socket_kind kind_of_socket(int number);

bool is_regular_file(int number);

/// Whether what was opened can be used so.
bool has_direction(int number, bool reads, bool writes);

/// The protocol of a socket of this family, if Protocol covers it.
template <class Protocol>
std::optional<Protocol> protocol_of(int family)
{
    if constexpr (requires { Protocol::v4(); })
    {
        if (family == Protocol::v4().family())
            return Protocol::v4();
        if (family == Protocol::v6().family())
            return Protocol::v6();
    }
    else if constexpr (std::is_default_constructible_v<Protocol>)
    {
        if (family == Protocol().family())
            return Protocol();
    }
    else if (family != -1)
    {
        return Protocol(family, 0);
    }
    return std::nullopt;
}

/// Whether the pipe, or whatever it is, can be used in the direction that Object is for.
template <asio_stream Object>
bool has_direction_of(int number)
{
    constexpr bool reads = requires(Object & object)
    {
        object.read_some(std::declval<char(&)[1]>());
    };
    constexpr bool writes = requires(Object & object)
    {
        object.write_some(std::declval<char(&)[1]>());
    };
    return has_direction(number, reads, writes);
}

/// Makes the object that was asked for out of a descriptor, or nothing when it is another kind.
template <class Object>
std::optional<Object> make_object(descriptor from, const asio::any_io_executor& executor)
{
    if constexpr (std::same_as<Object, descriptor>)
    {
        return from;
    }
    else if constexpr (std::same_as<Object, shared_bytes>)
    {
        if (!is_regular_file(from.get()))
            return std::nullopt;
        return shared_bytes::from(std::move(from));
    }
    else if constexpr (asio_socket<Object>)
    {
        auto kind = kind_of_socket(from.get());
        auto protocol = protocol_of<typename Object::protocol_type>(kind.family);
        if (!protocol || kind.type != protocol->type() || kind.listens != asio_acceptor<Object>)
            return std::nullopt;
        Object object(executor);
        assign_descriptor(std::move(from), object, *protocol);
        return object;
    }
    else
    {
        static_assert(asio_stream<Object>, "brood: only Asio sockets, acceptors, pipes and "
                                           "descriptors, brood::shared_bytes and "
                                           "brood::descriptor can be received beside a message");
        if (!has_direction_of<Object>(from.get()))
            return std::nullopt;
        Object object(executor);
        assign_descriptor(std::move(from), object);
        return object;
    }
}

/// Throws std::system_error (EBADF) for -1.
void check_sendable(int number);

/// Whether the descriptor of an object can be taken out of it, as that of pipes before Asio 1.23
/// cannot. Not by a duplicate and close() where it can: Asio relies on close() to take it out of
/// epoll, which does not happen while there is a duplicate.
template <class Object>
concept releasable = requires(Object& object)
{
    object.release();
};

/// The descriptor for what stays as it is until all that is sent beside a message can be given
/// away; none yet for what can then be taken without fail.
template <class Object>
descriptor prepare_to_send(Object&& object)
{
    using plain = std::remove_cvref_t<Object>;
    if constexpr (std::same_as<plain, shared_bytes>)
    {
        return object.share();
    }
    else if constexpr (std::same_as<plain, copied_bytes>)
    {
        return object.block().share();
    }
    else
    {
        static_assert(!std::is_lvalue_reference_v<Object>,
                      "brood: what is sent beside a message is given away: std::move it, or send "
                      "brood::share(it) to keep it as well");
        if constexpr (std::same_as<plain, descriptor>)
        {
            check_sendable(object.get());
        }
        else
        {
            static_assert(asio_object<plain>, "brood: only Asio sockets, acceptors, pipes and "
                                              "descriptors, brood::shared_bytes and "
                                              "brood::descriptor can be sent beside a message");
            check_sendable(object.native_handle());
            if constexpr (!releasable<plain>)
                return descriptor::duplicate_of(object.native_handle());
        }
        return descriptor();
    }
}

/// Empties an object that is given away.
template <class Object>
void give_away(Object&& object, descriptor& prepared)
{
    using plain = std::remove_cvref_t<Object>;
    if constexpr (std::same_as<plain, descriptor>)
        prepared = std::move(object);
    else if constexpr (asio_object<plain> && releasable<plain>)
        prepared = descriptor(object.release());
    else if constexpr (asio_object<plain>)
        object.close();
}

/// The descriptors inside objects that are given away: of all of them, or, when this throws, of
/// none.
template <class... Objects>
std::vector<descriptor> take_descriptors(Objects&&... objects)
{
    std::vector<descriptor> result;
    result.reserve(sizeof...(objects));
    (result.push_back(prepare_to_send(std::forward<Objects>(objects))), ...);
    [[maybe_unused]] auto place = result.begin();
    (give_away(std::forward<Objects>(objects), *place++), ...);
    return result;
}

inline std::vector<descriptor> take_descriptors(std::vector<descriptor>&& descriptors)
{
    for (auto& each : descriptors)
        check_sendable(each.get());
    return std::move(descriptors);
}

/// How many descriptors these objects will be.
template <class... Objects>
std::size_t count_of(const Objects&...)
{
    return sizeof...(Objects);
}

inline std::size_t count_of(const std::vector<descriptor>& descriptors)
{
    return descriptors.size();
}

} // namespace detail

/// A second descriptor for what an Asio object holds, to be sent while the object stays usable
/// here.
///
/// Both processes then use the same socket or file. Throws std::system_error (EMFILE, EBADF).
template <detail::asio_object Object>
descriptor share(Object& object)
{
    return descriptor::duplicate_of(object.native_handle());
}

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/wire/impl/attachment.ipp>
#endif
