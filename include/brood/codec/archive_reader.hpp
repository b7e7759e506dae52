// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/codec/detail/byte_reader.hpp>
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
#include <span>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace brood
{

/// The value that an archive_writer has written, as a cereal archive: `reader(a, b)`.
///
/// The bytes may come from anybody: sizes are checked against what is left of them before memory is
/// taken, flags, enums and the types of shared objects are checked, depth and memory are bounded.
/// It throws brood::error (malformed), and what the types throw. Shared pointers of a class to
/// itself let the other side make rings of objects, which never free each other, and hand to
/// load_and_construct the object that it is about to make.
class archive_reader : public cereal::detail::InputArchiveBase, public cereal::brood_archive
{
public:
    using is_loading = std::true_type;
    using is_saving = std::false_type;

    /// Reads from bytes that must live as long as the reader.
    explicit archive_reader(std::span<const std::byte> from, archive_limits limits = {})
        : bytes_(from), depth_left_(limits.depth), memory_left_(limits.memory)
    {
    }

    /// Reads the values, one after the other.
    template <class... Values>
    archive_reader& operator()(Values&&... values);

    template <class Value>
    archive_reader& operator&(Value&& value)
    {
        return (*this)(value);
    }

    template <class Value>
    archive_reader& operator>>(Value&& value)
    {
        return (*this)(value);
    }

    /// How many bytes have not been read.
    std::size_t remaining() const noexcept { return bytes_.remaining(); }

    /// Nothing may be left: throws brood::error (malformed) when there is.
    void end() const
    {
        if (remaining() != 0) [[unlikely]]
            throw_left_over();
    }

    /// Reads what was handed over as cereal::defer().
    void serializeDeferments() { objects().do_deferred(); }

    // What follows is called by cereal, under these names.

    template <class Target>
    void registerSharedPointer(std::uint32_t id, const std::shared_ptr<Target>& pointer)
    {
        if (!objects().add_object(id, pointer, detail::identity<Target>()))
            detail::throw_malformed("a shared object has an id out of turn");
    }

    std::shared_ptr<void> getSharedPointer(std::uint32_t id);

    void registerPolymorphicName(std::uint32_t id, const std::string& name)
    {
        if (!objects().add_name(id, name))
            detail::throw_malformed("the name of a class has an id out of turn");
    }

    std::string getPolymorphicName(std::uint32_t id);

    template <class Type>
    std::uint32_t loadClassVersion();

private:
    template <detail::loadable_number Number>
    void read(Number& value)
    {
        bytes_.get(value);
    }

    template <class Value>
    void read(cereal::NameValuePair<Value>& pair)
    {
        read(pair.value);
    }

    template <class Size>
    void read(cereal::SizeTag<Size>& tag);

    template <class Data>
    void read(cereal::BinaryData<Data>& data);

    template <class Value>
    void read(cereal::DeferredData<Value>& later)
    {
        objects().defer([this, later]() mutable { read(later.value); });
    }

    template <class Base>
    void read(cereal::base_class<Base>& base)
    {
        read_members(*base.base_ptr);
    }

    template <class Base>
    void read(cereal::virtual_base_class<Base>& base)
    {
        if (objects().first(base.base_ptr, detail::identity<Base>()))
            read_members(*base.base_ptr);
    }

    template <class Target>
    void read(cereal::memory_detail::PtrWrapper<std::shared_ptr<Target>&>& pointer)
    {
        target_ = &typeid(std::remove_cv_t<Target>);
        detail::load_value(*this, pointer);
    }

    template <class Target, class Deleter>
    void read(cereal::memory_detail::PtrWrapper<std::unique_ptr<Target, Deleter>&>& pointer)
    {
        (void)bytes_.peek<bool>(); // which cereal takes for a number
        detail::load_value(*this, pointer);
    }

    template <class Char, class Traits, class Allocator>
    void read(std::basic_string<Char, Traits, Allocator>& text)
    {
        bytes_.get_counted(text);
    }

    template <detail::plain Element, class Allocator>
    void read(std::vector<Element, Allocator>& elements)
    {
        bytes_.get_counted(elements);
    }

    template <std::size_t size>
    void read(std::array<std::byte, size>& bytes)
    {
        bytes_.get_all(bytes.data(), size);
    }

    template <class Value>
    void read(Value& value);

    template <class Value>
    void read_members(Value& value);

    template <class Container>
    void read_equals(Container& container);

    void check_index() const;

    template <class Enum>
    static void check_enum(Enum value);

    [[noreturn, gnu::cold]] void throw_left_over() const;
    [[noreturn, gnu::cold]] static void throw_too_deep();

    detail::object_table& objects()
    {
        if (!objects_)
            objects_ = std::make_unique<detail::object_table>();
        return *objects_;
    }

    detail::byte_reader bytes_;
    std::size_t depth_left_;
    std::size_t memory_left_;
    std::size_t element_ = 1;                // bytes of memory that one of the next size takes
    const std::type_info* target_ = nullptr; // of the shared pointer that is read
    std::unique_ptr<detail::object_table> objects_;
};

template <class... Values>
archive_reader& archive_reader::operator()(Values&&... values)
{
    if constexpr ((detail::loadable_number<std::remove_reference_t<Values>> && ...))
        bytes_.get(values...);
    else
        (read(values), ...);
    return *this;
}

inline std::shared_ptr<void> archive_reader::getSharedPointer(std::uint32_t id)
{
    if (id == 0)
        return nullptr;
    auto found = objects().object(id, *target_);
    if (!found)
        detail::throw_malformed("a pointer names no object of its type");
    return found;
}

inline std::string archive_reader::getPolymorphicName(std::uint32_t id)
{
    auto found = objects().name(id);
    if (!found)
        detail::throw_malformed("an object names no class");
    return *found;
}

template <class Type>
std::uint32_t archive_reader::loadClassVersion()
{
    if (auto known = objects().version(detail::identity<Type>()))
        return *known;
    std::uint32_t written = 0;
    read(written);
    return objects().add_version(detail::identity<Type>(), written);
}

template <class Size>
void archive_reader::read(cereal::SizeTag<Size>& tag)
{
    auto element = std::exchange(element_, 1);
    auto size = bytes_.get_size();
    if (size > remaining() && size > detail::free_memory / element)
        bytes_.throw_bad_size(size);
    if (size > memory_left_ / element)
        detail::throw_malformed(std::to_string(size) + " elements take too much memory");
    memory_left_ -= static_cast<std::size_t>(size) * element;
    tag.size = static_cast<std::remove_reference_t<Size>>(size);
}

template <class Data>
void archive_reader::read(cereal::BinaryData<Data>& data)
{
    using element = detail::stored_element<Data>;
    auto bytes = data.data ? data.size : 0; // a std::array<int, 0> claims more than it has
    bytes_.get_all(static_cast<element*>(data.data), bytes);
}

/// Keeps the order of equal keys, which cereal turns round.
template <class Container>
void archive_reader::read_equals(Container& container)
{
    std::uint64_t size = 0;
    (*this)(cereal::make_size_tag(size));
    for (container.clear(); size > 0; --size)
    {
        typename Container::key_type key{};
        read(key);
        if constexpr (requires { typename Container::mapped_type; })
        {
            typename Container::mapped_type value{};
            read(value);
            container.emplace_hint(container.end(), std::move(key), std::move(value));
        }
        else
        {
            container.emplace_hint(container.end(), std::move(key));
        }
    }
}

template <class Value>
void archive_reader::read(Value& value)
{
    if constexpr (detail::is_own_class<Value>())
    {
        if (depth_left_ == 0) [[unlikely]]
            throw_too_deep();
        --depth_left_;
        auto outer = objects_ ? objects_->enter_object() : 0;
        read_members(value);
        if (objects_) [[unlikely]]
            objects_->leave_object(outer);
        ++depth_left_;
    }
    else
    {
        read_members(value);
    }
}

template <class Value>
void archive_reader::read_members(Value& value)
{
    static_assert(!std::is_const_v<Value>,
                  "a message cannot hold a const member, which cannot be read; leave const out");
    detail::refuse_polymorphic<Value>();
    if constexpr (detail::loadable<Value, archive_reader> || !std::is_empty_v<Value>)
    {
        using count = detail::traits::detail::count_input_serializers<Value, archive_reader>;
        using mixed = detail::traits::has_invalid_input_versioning<Value, archive_reader>;
        detail::refuse_unserializable<Value, count::value, mixed::value>();
        if constexpr (detail::is_boost_variant<Value>())
            check_index();
        if constexpr (detail::is_std<Value>("valarray"))
            if (bytes_.peek<unsigned char>() == 0) // when cereal takes the address of the first
                return value.resize(bytes_.get_size());
        element_ = detail::element_size<Value>();
        if constexpr (detail::is_std<Value>("multimap") || detail::is_std<Value>("multiset"))
            read_equals(value);
        else
            detail::load_value(*this, value);
        if constexpr (std::is_enum_v<Value>)
            check_enum(value);
    }
}

/// cereal calls what stands at this index in an array, and forgets that it may be negative.
inline void archive_reader::check_index() const
{
    auto index = bytes_.peek<std::int32_t>();
    if (index < 0)
        detail::throw_malformed("the index of a variant is " + std::to_string(index));
}

template <class Enum>
void archive_reader::check_enum(Enum value)
{
    using number = std::underlying_type_t<Enum>;
    constexpr auto& range = enum_range<Enum>;
    auto found = static_cast<number>(value);
    if (found < range.first || found > range.last) [[unlikely]]
        detail::throw_malformed("an enum is " + std::to_string(found) + ", not " +
                                std::to_string(range.first) + " to " + std::to_string(range.last));
}

inline void archive_reader::throw_left_over() const
{
    detail::throw_malformed(std::to_string(remaining()) + " bytes are left over");
}

inline void archive_reader::throw_too_deep()
{
    detail::throw_malformed("objects stand too deep inside each other");
}

// How cereal's traits find out what a reader gives.

template <detail::loadable_number Number>
void load(archive_reader& from, Number& value)
{
    from(value);
}

template <class Value>
void load(archive_reader& from, cereal::NameValuePair<Value>& pair)
{
    from(pair);
}

template <class Size>
void load(archive_reader& from, cereal::SizeTag<Size>& tag)
{
    from(tag);
}

template <class Data>
void load(archive_reader& from, cereal::BinaryData<Data>& data)
{
    from(data);
}

} // namespace brood
