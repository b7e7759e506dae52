// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio.hpp>
#include <brood/base/detail/assign_descriptor.hpp>
#include <brood/base/error.hpp>
#include <brood/wire/shared_bytes.hpp>

#include <concepts>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
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

inline int socket_option(int socket, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

inline int socket_family(int socket)
{
    sockaddr_storage address = {};
    socklen_t size = sizeof address;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        return -1;
    return address.ss_family;
}

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
    auto mode = ::fcntl(number, F_GETFL) & O_ACCMODE;
    return mode == O_RDWR || (reads && !writes && mode == O_RDONLY) ||
           (writes && !reads && mode == O_WRONLY) || (reads && writes);
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
        struct stat about = {};
        if (::fstat(from.get(), &about) != 0 || !S_ISREG(about.st_mode))
            return std::nullopt;
        return shared_bytes::from(std::move(from));
    }
    else if constexpr (asio_socket<Object>)
    {
        auto protocol = protocol_of<typename Object::protocol_type>(socket_family(from.get()));
        auto listens = socket_option(from.get(), SO_ACCEPTCONN) == 1;
        if (!protocol || socket_option(from.get(), SO_TYPE) != protocol->type() ||
            listens != asio_acceptor<Object>)
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

/// The descriptor of an object, which is empty then. Not by a duplicate and close(), unless it has
/// no release(), as pipes before Asio 1.23: Asio relies on close() to take it out of epoll, which
/// does not happen while there is a duplicate.
template <asio_object Object>
descriptor release(Object& object)
{
    if constexpr (requires { object.release(); })
    {
        return descriptor(object.release());
    }
    else
    {
        auto copy = descriptor::duplicate_of(object.native_handle());
        object.close();
        return copy;
    }
}

/// The descriptor inside an object that is given away.
template <class Object>
descriptor take_descriptor(Object&& object)
{
    using plain = std::remove_cvref_t<Object>;
    if constexpr (std::same_as<plain, shared_bytes>)
    {
        return object.share();
    }
    else
    {
        static_assert(!std::is_lvalue_reference_v<Object>,
                      "brood: what is sent beside a message is given away: std::move it, or send "
                      "brood::share(it) to keep it as well");
        if constexpr (std::same_as<plain, descriptor>)
        {
            return std::move(object);
        }
        else
        {
            static_assert(asio_object<plain>, "brood: only Asio sockets, acceptors, pipes and "
                                              "descriptors, brood::shared_bytes and "
                                              "brood::descriptor can be sent beside a message");
            return release(object);
        }
    }
}

template <class... Objects>
std::vector<descriptor> take_descriptors(Objects&&... objects)
{
    std::vector<descriptor> result;
    result.reserve(sizeof...(objects));
    (result.push_back(take_descriptor(std::forward<Objects>(objects))), ...);
    return result;
}

inline std::vector<descriptor> take_descriptors(std::vector<descriptor>&& descriptors)
{
    return std::move(descriptors);
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
