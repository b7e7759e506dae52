// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/buffer.hpp>
#include <brood/base/error.hpp>
#include <brood/codec/detail/bytes.hpp>
#include <brood/codec/detail/functions.hpp>
#include <brood/codec/detail/memory.hpp>
#include <brood/codec/detail/refusal.hpp>
#include <brood/codec/detail/registration.hpp>
#include <brood/codec/limits.hpp>

#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace brood
{

/// The bytes of a value, as a cereal archive: `writer(a, b)` appends to a buffer.
///
/// Numbers are little-endian in their full width, a bool is a byte, sizes take one byte up to 254
/// and nine above; containers are their size and their elements; nothing is aligned or named. It
/// throws brood::error (too_large) for what a reader would refuse, and what the types throw.
class archive_writer : public cereal::detail::OutputArchiveBase, public cereal::brood_archive
{
public:
    using is_loading = std::false_type;
    using is_saving = std::true_type;

    /// Appends to `to`, which must not be used until the writer has gone.
    explicit archive_writer(buffer& to, archive_limits limits = {})
        : to_(to), depth_left_(limits.depth)
    {
        prepare(0);
    }

    archive_writer(const archive_writer&) = delete;
    archive_writer& operator=(const archive_writer&) = delete;

    ~archive_writer() { commit(); }

    /// Appends the values, one after the other.
    template <class... Values>
    archive_writer& operator()(Values&&... values);

    template <class Value>
    archive_writer& operator&(Value&& value)
    {
        return (*this)(value);
    }

    template <class Value>
    archive_writer& operator<<(Value&& value)
    {
        return (*this)(value);
    }

    /// Appends what was handed over as cereal::defer().
    void serializeDeferments() { remembered().do_deferred(); }

    // What follows is called by cereal, under these names.

    template <class Target>
    std::uint32_t registerSharedPointer(const std::shared_ptr<Target>& pointer)
    {
        return pointer ? remembered().id_of(pointer, detail::identity<Target>()) : 0;
    }

    std::uint32_t registerPolymorphicType(const char* name)
    {
        return remembered().id_of_name(name);
    }

    template <class Type>
    std::uint32_t registerClassVersion();

private:
    template <detail::number Number>
    void write(const Number& value)
    {
        room(sizeof value);
        put(value);
    }

    template <class Value>
    void write(const cereal::NameValuePair<Value>& pair)
    {
        write(pair.value);
    }

    template <class Size>
    void write(const cereal::SizeTag<Size>& tag)
    {
        if (claimed_)
            *std::exchange(claimed_, nullptr) = tag.size;
        room(detail::longest_size);
        put_size(tag.size);
    }

    template <class Data>
    void write(const cereal::BinaryData<Data>& data);

    template <class Value>
    void write(const cereal::DeferredData<Value>& later)
    {
        remembered().defer([this, later] { write(later.value); });
    }

    template <class Base>
    void write(const cereal::base_class<Base>& base)
    {
        write_members(*base.base_ptr);
    }

    template <class Base>
    void write(const cereal::virtual_base_class<Base>& base)
    {
        if (remembered().first(base.base_ptr, detail::identity<Base>()))
            write_members(*base.base_ptr);
    }

    template <class Char, class Traits, class Allocator>
    void write(const std::basic_string<Char, Traits, Allocator>& text)
    {
        write_elements(text.data(), text.size());
    }

    template <detail::plain Element, class Allocator>
    void write(const std::vector<Element, Allocator>& elements)
    {
        write_elements(elements.data(), elements.size());
    }

    template <std::size_t size>
    void write(const std::array<std::byte, size>& bytes)
    {
        room(size);
        put_all(bytes.data(), size);
    }

    template <class Value>
    void write(const Value& value);

    template <class Value>
    void write_members(const Value& value);

    template <class Container>
    void write_container(const Container& container);

    template <class Element>
    void write_elements(const Element* elements, std::size_t count);

    /// What follows may be put without asking again.
    void room(std::size_t bytes)
    {
        if (static_cast<std::size_t>(end_ - at_) < bytes) [[unlikely]]
            prepare(bytes);
    }

    template <class Number>
    void put(const Number& number)
    {
        put_all(&number, sizeof number);
    }

    void put(bool value) { *at_++ = std::byte{value}; }

    void put_size(std::uint64_t size)
    {
        if (size < detail::long_size)
        {
            *at_++ = static_cast<std::byte>(size);
        }
        else
        {
            *at_++ = std::byte{detail::long_size};
            put(size);
        }
    }

    template <class Element>
    void put_all(const Element* elements, std::size_t bytes)
    {
        detail::refuse_number<Element>();
        detail::copy_little<sizeof(Element)>(at_, elements, bytes);
        at_ += bytes;
    }

    void prepare(std::size_t bytes);

    void commit() noexcept
    {
        to_.commit(static_cast<std::size_t>(at_ - begin_));
        begin_ = at_;
    }

    std::size_t written() const noexcept
    {
        return to_.size() + static_cast<std::size_t>(at_ - begin_);
    }

    detail::writer_memory& remembered()
    {
        if (!memory_)
            memory_ = std::make_unique<detail::writer_memory>();
        return *memory_;
    }

    buffer& to_;
    std::byte* begin_ = nullptr; // of the room behind the end of the buffer
    std::byte* at_ = nullptr;    // begin_ to at_ has been written and is not committed
    std::byte* end_ = nullptr;
    std::size_t depth_left_;
    std::uint64_t* claimed_ = nullptr; // takes the size that the container at work writes next
    std::unique_ptr<detail::writer_memory> memory_;
};

template <class... Values>
archive_writer& archive_writer::operator()(Values&&... values)
{
    if constexpr ((detail::number<std::remove_cvref_t<Values>> && ...))
    {
        room((sizeof(Values) + ... + 0));
        (put(values), ...);
    }
    else
    {
        (write(values), ...);
    }
    return *this;
}

template <class Type>
std::uint32_t archive_writer::registerClassVersion()
{
    if (auto known = remembered().version(detail::identity<Type>()))
        return *known;
    auto version = detail::class_version<Type>();
    write(version);
    return remembered().add_version(detail::identity<Type>(), version);
}

template <class Data>
void archive_writer::write(const cereal::BinaryData<Data>& data)
{
    // A std::array<int, 0> claims more bytes than it has.
    auto bytes = data.data ? static_cast<std::size_t>(data.size) : 0;
    room(bytes);
    put_all(static_cast<const detail::stored_element<Data>*>(data.data), bytes);
}

template <class Element>
void archive_writer::write_elements(const Element* elements, std::size_t count)
{
    room(detail::longest_size + count * sizeof(Element));
    put_size(count);
    put_all(elements, count * sizeof(Element));
}

template <class Value>
void archive_writer::write(const Value& value)
{
    if constexpr (detail::is_own_class<Value>())
    {
        if (depth_left_ == 0) [[unlikely]]
            throw error(errc::too_large, "objects stand too deep inside each other");
        --depth_left_;
        auto outer = memory_ ? memory_->enter_object() : 0;
        write_members(value);
        if (memory_) [[unlikely]]
            memory_->leave_object(outer);
        ++depth_left_;
    }
    else
    {
        write_members(value);
    }
}

template <class Value>
void archive_writer::write_members(const Value& value)
{
    detail::refuse_polymorphic<Value>();
    if constexpr (detail::savable<Value, archive_writer> || !std::is_empty_v<Value>)
    {
        using count = detail::traits::detail::count_output_serializers<Value, archive_writer>;
        using mixed = detail::traits::has_invalid_output_versioning<Value, archive_writer>;
        detail::refuse_unserializable<Value, count::value, mixed::value>();
        if constexpr (detail::is_std<Value>() && detail::element_size<Value>() > 1)
            write_container(value);
        else
            detail::save_value(*this, value);
    }
}

template <class Container>
void archive_writer::write_container(const Container& container)
{
    std::uint64_t count = 0;
    claimed_ = &count;
    auto before = written();
    detail::save_value(*this, container);
    claimed_ = nullptr;
    if (count > detail::free_memory / detail::element_size<Container>() &&
        count > written() - before) [[unlikely]]
        throw error(errc::too_large,
                    std::to_string(count) + " elements that take less than a byte each");
}

inline void archive_writer::prepare(std::size_t bytes)
{
    commit();
    auto space = to_.prepare(bytes);
    begin_ = at_ = space.data();
    end_ = begin_ + space.size();
}

// How cereal's traits find out what a writer takes.

template <detail::number Number>
void save(archive_writer& to, const Number& value)
{
    to(value);
}

template <class Value>
void save(archive_writer& to, const cereal::NameValuePair<Value>& pair)
{
    to(pair);
}

template <class Size>
void save(archive_writer& to, const cereal::SizeTag<Size>& tag)
{
    to(tag);
}

template <class Data>
void save(archive_writer& to, const cereal::BinaryData<Data>& data)
{
    to(data);
}

} // namespace brood
