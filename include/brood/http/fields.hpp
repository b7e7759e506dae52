// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brood::http
{

/// Whether two texts are the same but for the case of ASCII letters.
bool same_name(std::string_view one, std::string_view other) noexcept;

/// Whether a text may name a field or a method: letters, digits and !#$%&'*+-.^_`|~, at least one.
/// Follows RFC 9110, section 5.6.2.
bool is_token(std::string_view text) noexcept;

/// The fields of a head, or those behind a body, in their order. Names match in any case; a name
/// may stand there several times. Follows RFC 9110, section 5.
///
/// Memory is kept when cleared, so that request after request allocates nothing.
class fields
{
public:
    struct field
    {
        std::string_view name, value; ///< Valid until these fields change.
    };

    class iterator;

    bool empty() const noexcept { return places_.empty(); }

    std::size_t size() const noexcept { return places_.size(); }

    iterator begin() const noexcept;
    iterator end() const noexcept;

    /// The first value under this name; nothing when there is none.
    std::optional<std::string_view> find(std::string_view name) const noexcept;

    bool has(std::string_view name) const noexcept { return find(name).has_value(); }

    /// All values under this name, in their order.
    std::vector<std::string_view> all(std::string_view name) const;

    /// All values under this name as one list, with ", " between them; nothing when there is none.
    /// Follows RFC 9110, section 5.2.
    std::optional<std::string> joined(std::string_view name) const;

    /// Adds a field beside those of the same name; the texts may be views of these fields. Throws
    /// std::invalid_argument for a name or value that would end the field early, so that nobody can
    /// write a head of their own into yours.
    void add(std::string_view name, std::string_view value);

    /// The same for what a parser has checked already.
    void add_checked(std::string_view name, std::string_view value);

    /// Puts a field in the place of all those of the same name. Throws as add(), and changes
    /// nothing then.
    void set(std::string_view name, std::string_view value);

    /// Removes all fields of this name.
    void remove(std::string_view name);

    void clear() noexcept
    {
        places_.clear();
        text_.clear();
    }

private:
    // A field lies in text_ as its name, and its value behind it.
    struct place
    {
        std::uint32_t begin, name_size, value_size;
    };

    void append(std::string_view name, std::string_view value);

    std::string_view name_of(const place& at) const noexcept
    {
        return std::string_view(text_).substr(at.begin, at.name_size);
    }

    std::string_view value_of(const place& at) const noexcept
    {
        return std::string_view(text_).substr(at.begin + at.name_size, at.value_size);
    }

    std::string text_;
    std::vector<place> places_;
};

/// Goes over the fields in their order.
class fields::iterator
{
public:
    using value_type = field;
    using difference_type = std::ptrdiff_t;

    iterator() = default;

    field operator*() const noexcept
    {
        auto& at = of_->places_[index_];
        return {of_->name_of(at), of_->value_of(at)};
    }

    iterator& operator++() noexcept
    {
        ++index_;
        return *this;
    }

    iterator operator++(int) noexcept
    {
        auto before = *this;
        ++index_;
        return before;
    }

    friend bool operator==(const iterator&, const iterator&) = default;

private:
    friend fields;

    iterator(const fields& of, std::size_t index) noexcept : of_(&of), index_(index) {}

    const fields* of_ = nullptr;
    std::size_t index_ = 0;
};

inline fields::iterator fields::begin() const noexcept
{
    return {*this, 0};
}

inline fields::iterator fields::end() const noexcept
{
    return {*this, places_.size()};
}

/// Whether a list of tokens, as in `Connection: close, Upgrade`, holds this one, in any case.
bool list_has(std::string_view list, std::string_view token) noexcept;

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/fields.ipp>
#endif
