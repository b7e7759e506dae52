// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cereal/cereal.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <vector>

namespace brood::detail
{

/// Tells classes apart; const makes no difference.
template <class Type>
const std::type_info& identity()
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

/// What an archive remembers of a message while it goes through it. Few messages need any of this,
/// so the archives make it when it is first asked for.
///
/// Ids count from 1 in the order in which objects and names come; the first time that one is
/// used, cereal marks it.
class object_table
{
public:
    static constexpr std::uint32_t new_id = cereal::detail::msb_32bit;

    /// The version of a class that this message has named already; null when it has not.
    const std::uint32_t* version(const std::type_info& type) const noexcept
    {
        for (auto& known : versions_)
            if (*known.type == type)
                return &known.number;
        return nullptr;
    }

    std::uint32_t add_version(const std::type_info& type, std::uint32_t number)
    {
        versions_.push_back({nullptr, &type, number, nullptr});
        return number;
    }

    /// Whether this virtual base comes for the first time in the object that is at work.
    bool first(const void* base, const std::type_info& type)
    {
        for (auto place = object_; place < bases_.size(); ++place)
            if (bases_[place].address == base && *bases_[place].type == type)
                return false;
        bases_.push_back({base, &type, 0, nullptr});
        return true;
    }

    /// Virtual bases belong to one object: a later one may lie at the same address.
    std::size_t enter_object() noexcept { return std::exchange(object_, bases_.size()); }

    void leave_object(std::size_t outer) noexcept
    {
        while (bases_.size() > object_)
            bases_.pop_back();
        object_ = outer;
    }

    /// The id of an object to write, marked when it is new. The object is kept, as another could
    /// take its place in memory while the message is written (CVE-2020-11105).
    std::uint32_t id_of(std::shared_ptr<const void> object, const std::type_info& type)
    {
        auto address = object.get();
        auto& latest = ids_[reinterpret_cast<std::uintptr_t>(address)];
        for (auto id = latest; id != 0; id = objects_[id - 1].number)
            if (*objects_[id - 1].type == type)
                return id;
        objects_.push_back({address, &type, latest, std::move(object)});
        latest = static_cast<std::uint32_t>(objects_.size());
        return latest | new_id;
    }

    /// Remembers an object that was read. False when no writer would have given it this id.
    bool add_object(std::uint32_t id, std::shared_ptr<void> object, const std::type_info& type)
    {
        objects_.push_back({object.get(), &type, 0, std::move(object)});
        return id == (objects_.size() | new_id);
    }

    /// The object with this id; null when there is none, or when it has another type: cereal would
    /// cast it (https://github.com/USCiLab/cereal/issues/870).
    std::shared_ptr<void> object(std::uint32_t id, const std::type_info& type) const
    {
        if (id == 0 || id > objects_.size() || *objects_[id - 1].type != type)
            return nullptr;
        return std::const_pointer_cast<void>(objects_[id - 1].owner);
    }

    /// The id of the name of a class to write, marked when it is new.
    std::uint32_t id_of_name(const std::string& name)
    {
        for (std::size_t index = 0; index < names_.size(); ++index)
            if (names_[index] == name)
                return static_cast<std::uint32_t>(index + 1);
        names_.push_back(name);
        return static_cast<std::uint32_t>(names_.size()) | new_id;
    }

    /// Remembers a name that was read. False when no writer would have given it this id.
    bool add_name(std::uint32_t id, const std::string& name)
    {
        names_.push_back(name);
        return id == (names_.size() | new_id);
    }

    /// The name with this id; null when there is none.
    const std::string* name(std::uint32_t id) const noexcept
    {
        return id == 0 || id > names_.size() ? nullptr : &names_[id - 1];
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
    struct item
    {
        const void* address;
        const std::type_info* type;
        std::uint32_t number; // the version; of an object to write the id of another there, or 0
        std::shared_ptr<const void> owner;
    };

    std::vector<item> versions_;
    std::vector<item> bases_;
    std::size_t object_ = 0; // where the bases of the object at work begin
    std::vector<item> objects_;
    std::unordered_map<std::size_t, std::uint32_t> ids_; // of the latest object at each address
    std::vector<std::string> names_;
    std::vector<std::function<void()>> deferred_;
};

} // namespace brood::detail
