// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/buffer.hpp>
#include <brood/base/error.hpp>
#include <brood/codec/detail/byte_writer.hpp>
#include <brood/codec/detail/bytes.hpp>
#include <brood/codec/detail/functions.hpp>
#include <brood/codec/detail/object_table.hpp>
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
/// Numbers are little-endian in their full width, a bool is a byte, containers are their size and
/// their elements; nothing is aligned or named. A size takes one byte up to 254 and nine above,
/// which is read a tenth faster than LEB128. Throws brood::error (too_large) for what a reader
/// would refuse, and what the types throw.
class archive_writer : public cereal::detail::OutputArchiveBase, public cereal::brood_archive
{
public:
    using is_loading = std::false_type;
    using is_saving = std::true_type;

    /// Appends to `to`, which must not be used until the writer has gone.
    explicit archive_writer(buffer& to, archive_limits limits = {})
        : bytes_(to, limits.bytes), depth_left_(limits.depth), memory_left_(limits.memory)
    {
    }

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
    void serializeDeferments() { objects().do_deferred(); }

    // What follows is called by cereal, under these names.

    template <class Target>
    std::uint32_t registerSharedPointer(const std::shared_ptr<Target>& pointer)
    {
        return pointer ? objects().id_of(pointer, detail::identity<Target>()) : 0;
    }

    std::uint32_t registerPolymorphicType(const char* name) { return objects().id_of_name(name); }

    template <class Type>
    std::uint32_t registerClassVersion();

private:
    struct claim;

    template <detail::number Number>
    void write(const Number& value)
    {
        bytes_.put(value);
    }

    template <class Value>
    void write(const cereal::NameValuePair<Value>& pair)
    {
        write(pair.value);
    }

    template <class Size>
    void write(const cereal::SizeTag<Size>& tag);

    template <class Data>
    void write(const cereal::BinaryData<Data>& data);

    template <class Value>
    void write(const cereal::DeferredData<Value>& later)
    {
        objects().defer([this, later] { write(later.value); });
    }

    template <class Base>
    void write(const cereal::base_class<Base>& base)
    {
        write_members(*base.base_ptr);
    }

    template <class Base>
    void write(const cereal::virtual_base_class<Base>& base)
    {
        if (objects().first(base.base_ptr, detail::identity<Base>()))
            write_members(*base.base_ptr);
    }

    template <class Char, class Traits, class Allocator>
    void write(const std::basic_string<Char, Traits, Allocator>& text)
    {
        bytes_.put_counted(text.data(), text.size());
    }

    template <detail::plain Element, class Allocator>
    void write(const std::vector<Element, Allocator>& elements)
    {
        bytes_.put_counted(elements.data(), elements.size());
    }

    template <std::size_t size>
    void write(const std::array<std::byte, size>& bytes)
    {
        bytes_.put_all(bytes.data(), size);
    }

    template <class Value>
    void write(const Value& value);

    template <class Value>
    void write_members(const Value& value);

    template <class Container>
    void write_container(const Container& container);

    [[noreturn, gnu::cold]] static void throw_too_deep();

    detail::object_table& objects()
    {
        if (!objects_)
            objects_ = std::make_unique<detail::object_table>();
        return *objects_;
    }

    detail::byte_writer bytes_;
    std::size_t depth_left_;
    std::size_t memory_left_; // of a reader
    claim* claim_ = nullptr;  // of the container that begins
    std::unique_ptr<detail::object_table> objects_;
};

template <class... Values>
archive_writer& archive_writer::operator()(Values&&... values)
{
    if constexpr ((detail::number<std::remove_cvref_t<Values>> && ...))
        bytes_.put(values...);
    else
        (write(values), ...);
    return *this;
}

template <class Type>
std::uint32_t archive_writer::registerClassVersion()
{
    if (auto known = objects().version(detail::identity<Type>()))
        return *known;
    auto current = detail::class_version<Type>();
    write(current);
    return objects().add_version(detail::identity<Type>(), current);
}

template <class Data>
void archive_writer::write(const cereal::BinaryData<Data>& data)
{
    // A std::array<int, 0> claims more bytes than it has.
    auto bytes = data.data ? static_cast<std::size_t>(data.size) : 0;
    bytes_.put_all(static_cast<const detail::stored_element<Data>*>(data.data), bytes);
}

template <class Value>
void archive_writer::write(const Value& value)
{
    if constexpr (detail::is_own_class<Value>())
    {
        if (depth_left_ == 0) [[unlikely]]
            throw_too_deep();
        --depth_left_;
        auto outer = objects_ ? objects_->enter_object() : 0;
        write_members(value);
        if (objects_) [[unlikely]]
            objects_->leave_object(outer);
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
        claim_ = nullptr;
        if constexpr (detail::is_std<Value>("valarray"))
            if (value.size() == 0) // when cereal takes the address of its first element
                return bytes_.put_size(0);
        if constexpr (detail::container<Value>)
            write_container(value);
        else
            detail::save_value(*this, value);
    }
}

/// Takes the size that a container writes first.
struct archive_writer::claim
{
    claim(archive_writer& by, std::size_t bytes) : writer(by), element(bytes)
    {
        writer.claim_ = this;
    }

    ~claim() { writer.claim_ = nullptr; }

    archive_writer& writer;
    std::size_t element; // bytes of memory that one takes
    std::uint64_t size = 0;
};

template <class Size>
void archive_writer::write(const cereal::SizeTag<Size>& tag)
{
    std::uint64_t size = tag.size;
    std::size_t element = 1;
    if (auto claimed = std::exchange(claim_, nullptr))
    {
        claimed->size = size;
        element = claimed->element;
    }
    if (size > memory_left_ / element) [[unlikely]]
        throw error(errc::too_large, std::to_string(size) + " elements take too much memory");
    memory_left_ -= static_cast<std::size_t>(size) * element;
    bytes_.put_size(tag.size);
}

template <class Container>
void archive_writer::write_container(const Container& container)
{
    claim counted(*this, detail::element_size<Container>());
    auto before = bytes_.size();
    detail::save_value(*this, container);
    if (counted.size > detail::free_memory / detail::element_size<Container>() &&
        counted.size > bytes_.size() - before) [[unlikely]]
        throw error(errc::too_large,
                    std::to_string(counted.size) + " elements take less than a byte each");
}

inline void archive_writer::throw_too_deep()
{
    throw error(errc::too_large, "objects stand too deep inside each other");
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
