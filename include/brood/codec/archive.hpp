// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/buffer.hpp>
#include <brood/base/error.hpp>
#include <brood/codec/archive_reader.hpp>
#include <brood/codec/archive_writer.hpp>
#include <brood/codec/limits.hpp>

#include <cstddef>
#include <exception>
#include <span>
#include <string>

namespace brood
{

namespace detail
{

/// Makes one kind of error of what cereal, the standard library and the types throw for bad bytes.
[[noreturn, gnu::cold]] inline void rethrow_malformed()
{
    try
    {
        throw;
    }
    catch (const error& wrong)
    {
        if (wrong.code() == errc::malformed)
            throw;
        throw error(errc::malformed, wrong.what());
    }
    catch (const std::exception& wrong)
    {
        throw error(errc::malformed, std::string("the value cannot be made: ") + wrong.what());
    }
    catch (...)
    {
        throw error(errc::malformed, "the value cannot be made: an exception of unknown type");
    }
}

} // namespace detail

/// Appends the bytes of a value to a buffer.
///
/// A value of any type that cereal can serialise; the type is not written. When this throws, what
/// the type throws or brood::error (too_large) for what the other side would refuse, the buffer is
/// as before.
template <class Message>
void encode(buffer& to, const Message& value, archive_limits limits = {})
{
    auto before = to.size();
    try
    {
        archive_writer writer(to, limits);
        writer(value);
    }
    catch (...)
    {
        to.truncate(before);
        throw;
    }
}

/// The value that these bytes are, all of them.
///
/// The bytes may come from anybody. Whatever is wrong with them, bytes too many included, throws
/// brood::error (malformed) that says what; nothing of the value is left then. Memory stays within
/// the limits.
template <class Message>
Message decode(std::span<const std::byte> bytes, archive_limits limits = {})
{
    Message value{};
    try
    {
        archive_reader reader(bytes, limits);
        reader(value);
        reader.end();
    }
    catch (...)
    {
        detail::rethrow_malformed();
    }
    return value;
}

} // namespace brood
