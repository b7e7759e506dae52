// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/codec/detail/bytes.hpp>
#include <brood/codec/detail/refusal.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

namespace brood::detail
{

[[noreturn, gnu::cold]] inline void throw_malformed(const std::string& why)
{
    throw error(errc::malformed, why);
}

/// Reads numbers and runs of them from bytes that anybody may have written.
class byte_reader
{
public:
    explicit byte_reader(std::span<const std::byte> from) noexcept
        : at_(from.data()), end_(from.data() + from.size())
    {
    }

    std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - at_); }

    template <class... Numbers>
    void get(Numbers&... numbers)
    {
        need((sizeof(Numbers) + ... + 0));
        auto at = at_; // as what is written through a pointer to bytes may be a member of ours
        ((at = fetch(at, numbers)), ...);
        at_ = at;
    }

    std::uint64_t get_size()
    {
        need(1);
        auto first = static_cast<unsigned char>(*at_++);
        if (first != long_size)
            return first;
        std::uint64_t size = 0;
        get(size);
        if (size < long_size) [[unlikely]]
            throw_malformed("a size of " + std::to_string(size) + " is written in nine bytes");
        return size;
    }

    /// Elements of `bytes` bytes in all; nothing at all for null.
    template <class Element>
    void get_all(Element* elements, std::uint64_t bytes)
    {
        refuse_number<Element>();
        need(bytes);
        if constexpr (std::is_same_v<Element, bool>)
            for (std::size_t place = 0; place < bytes; ++place)
                check_flag(at_[place]);
        copy_little<sizeof(Element)>(elements, at_, static_cast<std::size_t>(bytes));
        at_ += bytes;
    }

    /// A string or vector of as many elements as the size in front of them says.
    template <class Elements>
    void get_counted(Elements& elements)
    {
        using element = typename Elements::value_type;
        auto size = get_size();
        if (size > remaining() / sizeof(element)) [[unlikely]]
            throw_bad_size(size);
        auto count = static_cast<std::size_t>(size);
        if constexpr (byte_like<element>)
        {
            auto bytes = reinterpret_cast<const element*>(at_);
            elements.assign(bytes, bytes + count); // without filling it with zeros first
            at_ += count;
        }
        else
        {
            elements.resize(count);
            get_all(elements.data(), count * sizeof(element));
        }
    }

    /// The number that comes next, which stays there.
    template <class Number>
    Number peek() const
    {
        Number number{};
        byte_reader(*this).get(number);
        return number;
    }

    [[noreturn, gnu::cold]] void throw_bad_size(std::uint64_t size) const
    {
        throw_malformed("a size of " + std::to_string(size) + " is more than the " +
                        std::to_string(remaining()) + " bytes that are left");
    }

private:
    template <class Number>
    static const std::byte* fetch(const std::byte* from, Number& number)
    {
        refuse_number<Number>();
        copy_little<sizeof number>(&number, from, sizeof number);
        return from + sizeof number;
    }

    static const std::byte* fetch(const std::byte* from, bool& value)
    {
        check_flag(*from);
        value = *from != std::byte{0};
        return from + 1;
    }

    static void check_flag(std::byte flag)
    {
        if (flag > std::byte{1}) [[unlikely]]
            throw_bad_flag(flag);
    }

    void need(std::uint64_t bytes) const
    {
        if (remaining() < bytes) [[unlikely]]
            throw_cut_off();
    }

    [[noreturn, gnu::cold]] static void throw_cut_off() { throw_malformed("the end is missing"); }

    [[noreturn, gnu::cold]] static void throw_bad_flag(std::byte flag)
    {
        throw_malformed("a bool is " + std::to_string(static_cast<int>(flag)) + ", not 0 or 1");
    }

    const std::byte* at_;
    const std::byte* end_;
};

} // namespace brood::detail
