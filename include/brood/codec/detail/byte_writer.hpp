// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/buffer.hpp>
#include <brood/base/error.hpp>
#include <brood/codec/detail/bytes.hpp>
#include <brood/codec/detail/refusal.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace brood::detail
{

/// A value is longer than it may be.
struct too_long : error
{
    too_long() : error(errc::too_large, "a value is longer than it may be") {}
};

/// Writes numbers and runs of them behind the end of a buffer.
///
/// The buffer knows of them when the writer goes, or has to ask it for room.
class byte_writer
{
public:
    /// Throws too_long instead of asking the buffer for more than that, give or take a size.
    explicit byte_writer(buffer& to, std::size_t most = SIZE_MAX)
        : to_(to), most_(to.size() + std::min(most, SIZE_MAX - longest_size - to.size()))
    {
        begin(0);
    }

    byte_writer(const byte_writer&) = delete;
    byte_writer& operator=(const byte_writer&) = delete;

    ~byte_writer() { commit(); }

    template <class... Numbers>
    void put(const Numbers&... numbers)
    {
        room((sizeof(Numbers) + ... + 0));
        auto at = at_; // as the bytes that are written may be a member of ours
        ((at = store(at, numbers)), ...);
        at_ = at;
    }

    void put_size(std::uint64_t size)
    {
        room(longest_size);
        store_size(size);
    }

    template <class Element>
    void put_all(const Element* elements, std::size_t bytes)
    {
        room(bytes);
        store_all(elements, bytes);
    }

    /// Their number, and elements.
    template <class Element>
    void put_counted(const Element* elements, std::size_t count)
    {
        room(longest_size + count * sizeof(Element));
        store_size(count);
        store_all(elements, count * sizeof(Element));
    }

    /// How long the buffer would be.
    std::size_t size() const noexcept
    {
        return to_.size() + static_cast<std::size_t>(at_ - begin_);
    }

private:
    template <class Number>
    static std::byte* store(std::byte* to, const Number& number)
    {
        refuse_number<Number>();
        copy_little<sizeof number>(to, &number, sizeof number);
        return to + sizeof number;
    }

    static std::byte* store(std::byte* to, bool value)
    {
        *to = std::byte{value};
        return to + 1;
    }

    void store_size(std::uint64_t size)
    {
        if (size < long_size)
        {
            *at_++ = static_cast<std::byte>(size);
        }
        else
        {
            *at_++ = std::byte{long_size};
            at_ = store(at_, size);
        }
    }

    template <class Element>
    void store_all(const Element* elements, std::size_t bytes)
    {
        refuse_number<Element>();
        copy_little<sizeof(Element)>(at_, elements, bytes);
        at_ += bytes;
    }

    void room(std::size_t bytes)
    {
        if (static_cast<std::size_t>(end_ - at_) < bytes) [[unlikely]]
            prepare(bytes);
    }

    void prepare(std::size_t bytes)
    {
        commit();
        if (bytes > most_ + longest_size - std::min(most_, to_.size())) [[unlikely]]
            throw too_long();
        begin(bytes);
    }

    void begin(std::size_t bytes)
    {
        auto space = to_.prepare(bytes);
        begin_ = at_ = space.data();
        end_ = begin_ + space.size();
    }

    void commit() noexcept
    {
        to_.commit(static_cast<std::size_t>(at_ - begin_));
        begin_ = at_;
    }

    buffer& to_;
    std::size_t most_;           // bytes that the buffer may hold in all
    std::byte* begin_ = nullptr; // of the room behind the end of the buffer
    std::byte* at_ = nullptr;    // begin_ to at_ has been written and is not committed
    std::byte* end_ = nullptr;
};

} // namespace brood::detail
