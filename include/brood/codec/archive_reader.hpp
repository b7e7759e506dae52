// SPDX-License-Identifier: BSL-1.0
#pragma once

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
/// It throws brood::error (malformed), and what the types throw.
class archive_reader : public cereal::detail::InputArchiveBase, public cereal::brood_archive
{
public:
    using is_loading = std::true_type;
    using is_saving = std::false_type;

    /// Reads from bytes that must live as long as the reader.
    explicit archive_reader(std::span<const std::byte> from, archive_limits limits = {})
        : at_(from.data()), end_(from.data() + from.size()), depth_left_(limits.depth),
          memory_left_(limits.memory)
    {
    }

    archive_reader(const archive_reader&) = delete;
    archive_reader& operator=(const archive_reader&) = delete;

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
    std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - at_); }

    /// Reads what was handed over as cereal::defer().
    void serializeDeferments() { remembered().do_deferred(); }

    // What follows is called by cereal, under these names.

    template <class Target>
    void registerSharedPointer(std::uint32_t id, const std::shared_ptr<Target>& pointer)
    {
        if (!remembered().add_pointer(id, pointer, detail::identity<Target>()))
            throw error(errc::malformed, "a shared object has an id out of turn");
    }

    std::shared_ptr<void> getSharedPointer(std::uint32_t id);

    void registerPolymorphicName(std::uint32_t id, const std::string& name)
    {
        if (!remembered().add_name(id, name))
            throw error(errc::malformed, "the name of a class has an id out of turn");
    }

    std::string getPolymorphicName(std::uint32_t id);

    template <class Type>
    std::uint32_t loadClassVersion();

private:
    template <detail::loadable_number Number>
    void read(Number& value)
    {
        need(sizeof value);
        get(value);
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
        remembered().defer([this, later]() mutable { read(later.value); });
    }

    template <class Base>
    void read(cereal::base_class<Base>& base)
    {
        read_members(*base.base_ptr);
    }

    template <class Base>
    void read(cereal::virtual_base_class<Base>& base)
    {
        if (remembered().first(base.base_ptr, detail::identity<Base>()))
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
        need(1);
        check_flag(*at_);
        detail::load_value(*this, pointer);
    }

    template <class Char, class Traits, class Allocator>
    void read(std::basic_string<Char, Traits, Allocator>& text)
    {
        read_elements(text);
    }

    template <detail::plain Element, class Allocator>
    void read(std::vector<Element, Allocator>& elements)
    {
        read_elements(elements);
    }

    template <std::size_t size>
    void read(std::array<std::byte, size>& bytes)
    {
        need(size);
        get_all(bytes.data(), size);
    }

    template <class Value>
    void read(Value& value);

    template <class Value>
    void read_members(Value& value);

    template <class Elements>
    void read_elements(Elements& elements);

    template <class Enum>
    static void check_enum(Enum value);

    /// What follows may be got without asking again.
    void need(std::uint64_t bytes) const
    {
        if (remaining() < bytes) [[unlikely]]
            throw_cut_off();
    }

    template <class Number>
    void get(Number& number)
    {
        get_all(&number, sizeof number);
    }

    void get(bool& value)
    {
        check_flag(*at_);
        value = *at_++ != std::byte{0};
    }

    std::uint64_t get_size();

    template <class Element>
    void get_all(Element* elements, std::size_t bytes)
    {
        detail::refuse_number<Element>();
        detail::copy_little<sizeof(Element)>(elements, at_, bytes);
        at_ += bytes;
    }

    static void check_flag(std::byte flag)
    {
        if (flag > std::byte{1}) [[unlikely]]
            throw_bad_flag(flag);
    }

    [[noreturn, gnu::cold]] static void throw_cut_off();
    [[noreturn, gnu::cold]] static void throw_bad_flag(std::byte flag);
    [[noreturn, gnu::cold]] void throw_bad_size(std::uint64_t size) const;

    detail::reader_memory& remembered()
    {
        if (!memory_)
            memory_ = std::make_unique<detail::reader_memory>();
        return *memory_;
    }

    const std::byte* at_;
    const std::byte* end_;
    std::size_t depth_left_;
    std::size_t memory_left_;
    std::size_t element_ = 1;                // bytes of memory that one of the next size takes
    const std::type_info* target_ = nullptr; // of the shared pointer that is read
    std::unique_ptr<detail::reader_memory> memory_;
};

template <class... Values>
archive_reader& archive_reader::operator()(Values&&... values)
{
    if constexpr ((detail::loadable_number<std::remove_reference_t<Values>> && ...))
    {
        need((sizeof(Values) + ... + 0));
        (get(values), ...);
    }
    else
    {
        (read(values), ...);
    }
    return *this;
}

inline std::shared_ptr<void> archive_reader::getSharedPointer(std::uint32_t id)
{
    if (id == 0)
        return nullptr;
    auto found = remembered().pointer(id, *target_);
    if (!found)
        throw error(errc::malformed, "a pointer names no object of its type");
    return *found;
}

inline std::string archive_reader::getPolymorphicName(std::uint32_t id)
{
    auto found = remembered().name(id);
    if (!found)
        throw error(errc::malformed, "an object names no class");
    return *found;
}

template <class Type>
std::uint32_t archive_reader::loadClassVersion()
{
    if (auto known = remembered().version(detail::identity<Type>()))
        return *known;
    std::uint32_t version = 0;
    read(version);
    return remembered().add_version(detail::identity<Type>(), version);
}

template <class Size>
void archive_reader::read(cereal::SizeTag<Size>& tag)
{
    auto element = std::exchange(element_, 1);
    auto size = get_size();
    if (size > remaining() && size > detail::free_memory / element)
        throw_bad_size(size);
    if (size > memory_left_ / element)
        throw error(errc::malformed, std::to_string(size) + " elements take too much memory");
    memory_left_ -= static_cast<std::size_t>(size) * element;
    tag.size = static_cast<std::remove_reference_t<Size>>(size);
}

template <class Data>
void archive_reader::read(cereal::BinaryData<Data>& data)
{
    using element = detail::stored_element<Data>;
    auto bytes = data.data ? data.size : 0; // a std::array<int, 0> claims more than it has
    need(bytes);
    if constexpr (std::is_same_v<element, bool>)
        for (std::size_t place = 0; place < bytes; ++place)
            check_flag(at_[place]);
    get_all(static_cast<element*>(data.data), static_cast<std::size_t>(bytes));
}

template <class Elements>
void archive_reader::read_elements(Elements& elements)
{
    using element = typename Elements::value_type;
    auto size = get_size();
    if (size > remaining() / sizeof(element)) [[unlikely]]
        throw_bad_size(size);
    auto count = static_cast<std::size_t>(size);
    if constexpr (detail::byte_like<element>)
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

template <class Value>
void archive_reader::read(Value& value)
{
    if constexpr (detail::is_own_class<Value>())
    {
        if (depth_left_ == 0) [[unlikely]]
            throw error(errc::malformed, "objects stand too deep inside each other");
        --depth_left_;
        auto outer = memory_ ? memory_->enter_object() : 0;
        read_members(value);
        if (memory_) [[unlikely]]
            memory_->leave_object(outer);
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
    detail::refuse_polymorphic<Value>();
    if constexpr (detail::loadable<Value, archive_reader> || !std::is_empty_v<Value>)
    {
        using count = detail::traits::detail::count_input_serializers<Value, archive_reader>;
        using mixed = detail::traits::has_invalid_input_versioning<Value, archive_reader>;
        detail::refuse_unserializable<Value, count::value, mixed::value>();
        if constexpr (detail::is_std<Value>())
            element_ = detail::element_size<Value>();
        detail::load_value(*this, value);
        if constexpr (std::is_enum_v<Value>)
            check_enum(value);
    }
}

template <class Enum>
void archive_reader::check_enum(Enum value)
{
    using number = std::underlying_type_t<Enum>;
    constexpr auto& range = enum_range<Enum>;
    auto found = static_cast<number>(value);
    if (found < range.first || found > range.last) [[unlikely]]
        throw error(errc::malformed, "an enum is " + std::to_string(found) + ", not " +
                                         std::to_string(range.first) + " to " +
                                         std::to_string(range.last));
}

inline std::uint64_t archive_reader::get_size()
{
    need(1);
    auto first = static_cast<unsigned char>(*at_++);
    if (first != detail::long_size)
        return first;
    std::uint64_t size = 0;
    read(size);
    return size;
}

inline void archive_reader::throw_cut_off()
{
    throw error(errc::malformed, "the end is missing");
}

inline void archive_reader::throw_bad_flag(std::byte flag)
{
    throw error(errc::malformed,
                "a bool is " + std::to_string(static_cast<int>(flag)) + ", not 0 or 1");
}

inline void archive_reader::throw_bad_size(std::uint64_t size) const
{
    throw error(errc::malformed, "a size of " + std::to_string(size) + " is more than the " +
                                     std::to_string(remaining()) + " bytes that are left");
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
