// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cereal/cereal.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

// What an archive remembers of a message while it goes through it. Few messages need any of this,
// so the archives make it when it is first asked for.

namespace brood::detail
{

template <class Type>
std::type_index identity()
{
    return typeid(std::remove_cv_t<Type>);
}

/// The version of a class, wherever in the program CEREAL_CLASS_VERSION stands.
///
/// cereal's own look-up writes to its table, which two threads may not do; this one only reads.
template <class Type>
std::uint32_t class_version()
{
    auto& known = cereal::detail::StaticObject<cereal::detail::Versions>::getInstance().mapping;
    auto found = known.find(identity<Type>().hash_code());
    return found == known.end() ? cereal::detail::Version<Type>::version : found->second;
}

/// The parts of a message that both directions remember alike.
class archive_memory
{
public:
    /// The version of a class that this message has named already; nothing when it has not.
    const std::uint32_t* version(std::type_index type) const noexcept
    {
        for (auto& [known, version] : versions_)
            if (known == type)
                return &version;
        return nullptr;
    }

    std::uint32_t add_version(std::type_index type, std::uint32_t version)
    {
        versions_.emplace_back(type, version);
        return version;
    }

    /// Whether this virtual base comes for the first time in the object that is at work.
    bool first(const void* base, std::type_index type)
    {
        for (auto place = object_; place < bases_.size(); ++place)
            if (bases_[place] == std::pair(base, type))
                return false;
        bases_.emplace_back(base, type);
        return true;
    }

    /// Virtual bases belong to one object: a later one may lie at the same address.
    std::size_t enter_object() noexcept { return std::exchange(object_, bases_.size()); }

    void leave_object(std::size_t outer)
    {
        bases_.erase(bases_.begin() + static_cast<std::ptrdiff_t>(object_), bases_.end());
        object_ = outer;
    }

    void defer(std::function<void()> work) { deferred_.push_back(std::move(work)); }

    /// Does what was deferred, and what that defers.
    void do_deferred()
    {
        while (!deferred_.empty())
            for (auto& work : std::exchange(deferred_, {}))
                work();
    }

private:
    std::vector<std::pair<std::type_index, std::uint32_t>> versions_;
    std::vector<std::pair<const void*, std::type_index>> bases_;
    std::size_t object_ = 0; // where the bases of the object at work begin
    std::vector<std::function<void()>> deferred_;
};

/// The first time that an id is used, cereal marks it so.
inline constexpr std::uint32_t new_id = cereal::detail::msb_32bit;

/// What a writer remembers.
class writer_memory : public archive_memory
{
public:
    /// The id of what a pointer points to, marked when it is new. The pointer is kept, as another
    /// object could take the place of this one while the message is written (CVE-2020-11105).
    std::uint32_t id_of(std::shared_ptr<const void> pointer, std::type_index type)
    {
        auto next = static_cast<std::uint32_t>(pointers_.size() + 1);
        auto address = pointer.get();
        auto [place, added] = ids_.try_emplace({address, type}, next);
        if (!added)
            return place->second;
        pointers_.push_back(std::move(pointer));
        return next | new_id;
    }

    std::uint32_t id_of_name(std::string_view name)
    {
        for (std::size_t index = 0; index < names_.size(); ++index)
            if (names_[index] == name)
                return static_cast<std::uint32_t>(index + 1);
        names_.push_back(name);
        return static_cast<std::uint32_t>(names_.size()) | new_id;
    }

private:
    std::map<std::pair<const void*, std::type_index>, std::uint32_t> ids_;
    std::vector<std::shared_ptr<const void>> pointers_;
    std::vector<std::string_view> names_;
};

/// What a reader remembers. Ids come in the order in which a writer gives them, or not from one.
class reader_memory : public archive_memory
{
public:
    bool add_pointer(std::uint32_t id, std::shared_ptr<void> pointer, std::type_index type)
    {
        pointers_.emplace_back(std::move(pointer), type);
        return id == (pointers_.size() | new_id);
    }

    /// The object with this id; nothing when there is none, or when it has another type: cereal
    /// would cast it (https://github.com/USCiLab/cereal/issues/870).
    const std::shared_ptr<void>* pointer(std::uint32_t id, std::type_index type) const noexcept
    {
        if (id == 0 || id > pointers_.size() || pointers_[id - 1].second != type)
            return nullptr;
        return &pointers_[id - 1].first;
    }

    bool add_name(std::uint32_t id, std::string name)
    {
        names_.push_back(std::move(name));
        return id == (names_.size() | new_id);
    }

    const std::string* name(std::uint32_t id) const noexcept
    {
        return id == 0 || id > names_.size() ? nullptr : &names_[id - 1];
    }

private:
    std::vector<std::pair<std::shared_ptr<void>, std::type_index>> pointers_;
    std::vector<std::string> names_;
};

} // namespace brood::detail
