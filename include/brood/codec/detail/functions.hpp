// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cereal/cereal.hpp>

#include <type_traits>

// Which of cereal's functions a type has, and calling it: what cereal::OutputArchive and
// cereal::InputArchive do, whose constructors cost as much as a small message (18 ns).

namespace brood::detail
{

namespace traits = cereal::traits;

template <class Type, class Writer>
inline constexpr bool savable = traits::is_output_serializable<Type, Writer>::value &&
                                !traits::has_invalid_output_versioning<Type, Writer>::value;

template <class Type, class Reader>
inline constexpr bool loadable = traits::is_input_serializable<Type, Reader>::value &&
                                 !traits::has_invalid_input_versioning<Type, Reader>::value;

/// Whether this is the function to take: cereal::specialize<> chooses when there are several.
template <class Type, class Archive, template <class, class> class Has,
          template <class, class> class Chosen>
concept takes = Has<Type, Archive>::value &&
    (!traits::is_specialized<Type, Archive>::value || Chosen<Type, Archive>::value);

/// Calls the function that takes the version of the class as well.
template <class Writer, class Type>
void save_versioned(Writer& to, const Type& value)
{
    if constexpr (takes<Type, Writer, traits::has_member_versioned_serialize,
                        traits::is_specialized_member_versioned_serialize>)
        cereal::access::member_serialize(to, const_cast<Type&>(value),
                                         to.template registerClassVersion<Type>());
    else if constexpr (takes<Type, Writer, traits::has_non_member_versioned_serialize,
                             traits::is_specialized_non_member_versioned_serialize>)
        serialize(to, const_cast<Type&>(value), to.template registerClassVersion<Type>());
    else if constexpr (takes<Type, Writer, traits::has_member_versioned_save,
                             traits::is_specialized_member_versioned_save>)
        cereal::access::member_save(to, value, to.template registerClassVersion<Type>());
    else if constexpr (takes<Type, Writer, traits::has_non_member_versioned_save,
                             traits::is_specialized_non_member_versioned_save>)
        save(to, value, to.template registerClassVersion<Type>());
    else if constexpr (takes<Type, Writer, traits::has_member_versioned_save_minimal,
                             traits::is_specialized_member_versioned_save_minimal>)
        to(cereal::access::member_save_minimal(to, value,
                                               to.template registerClassVersion<Type>()));
    else if constexpr (takes<Type, Writer, traits::has_non_member_versioned_save_minimal,
                             traits::is_specialized_non_member_versioned_save_minimal>)
        to(save_minimal(to, value, to.template registerClassVersion<Type>()));
}

/// Calls the function that a value is written with.
template <class Writer, class Type>
void save_value(Writer& to, const Type& value)
{
    if constexpr (takes<Type, Writer, traits::has_member_serialize,
                        traits::is_specialized_member_serialize>)
        cereal::access::member_serialize(to, const_cast<Type&>(value));
    else if constexpr (takes<Type, Writer, traits::has_non_member_serialize,
                             traits::is_specialized_non_member_serialize>)
        serialize(to, const_cast<Type&>(value));
    else if constexpr (takes<Type, Writer, traits::has_member_save,
                             traits::is_specialized_member_save>)
        cereal::access::member_save(to, value);
    else if constexpr (takes<Type, Writer, traits::has_non_member_save,
                             traits::is_specialized_non_member_save>)
        save(to, value);
    else if constexpr (takes<Type, Writer, traits::has_member_save_minimal,
                             traits::is_specialized_member_save_minimal>)
        to(cereal::access::member_save_minimal(to, value));
    else if constexpr (takes<Type, Writer, traits::has_non_member_save_minimal,
                             traits::is_specialized_non_member_save_minimal>)
        to(save_minimal(to, value));
    else
        save_versioned(to, value);
}

/// Calls the function that takes the version that the class had when it was written.
template <class Reader, class Type>
void load_versioned(Reader& from, Type& value)
{
    using writer = typename traits::detail::get_output_from_input<Reader>::type;
    if constexpr (takes<Type, Reader, traits::has_member_versioned_serialize,
                        traits::is_specialized_member_versioned_serialize>)
        cereal::access::member_serialize(from, value, from.template loadClassVersion<Type>());
    else if constexpr (takes<Type, Reader, traits::has_non_member_versioned_serialize,
                             traits::is_specialized_non_member_versioned_serialize>)
        serialize(from, value, from.template loadClassVersion<Type>());
    else if constexpr (takes<Type, Reader, traits::has_member_versioned_load,
                             traits::is_specialized_member_versioned_load>)
        cereal::access::member_load(from, value, from.template loadClassVersion<Type>());
    else if constexpr (takes<Type, Reader, traits::has_non_member_versioned_load,
                             traits::is_specialized_non_member_versioned_load>)
        load(from, value, from.template loadClassVersion<Type>());
    else if constexpr (takes<Type, Reader, traits::has_member_versioned_load_minimal,
                             traits::is_specialized_member_versioned_load_minimal>)
    {
        const auto written = from.template loadClassVersion<Type>();
        typename traits::has_member_versioned_save_minimal<Type, writer>::type minimal{};
        from(minimal);
        cereal::access::member_load_minimal(from, value, minimal, written);
    }
    else if constexpr (takes<Type, Reader, traits::has_non_member_versioned_load_minimal,
                             traits::is_specialized_non_member_versioned_load_minimal>)
    {
        const auto written = from.template loadClassVersion<Type>();
        typename traits::has_non_member_versioned_save_minimal<Type, writer>::type minimal{};
        from(minimal);
        load_minimal(from, value, minimal, written);
    }
}

/// Calls the function that a value is read with.
template <class Reader, class Type>
void load_value(Reader& from, Type& value)
{
    using writer = typename traits::detail::get_output_from_input<Reader>::type;
    if constexpr (takes<Type, Reader, traits::has_member_serialize,
                        traits::is_specialized_member_serialize>)
        cereal::access::member_serialize(from, value);
    else if constexpr (takes<Type, Reader, traits::has_non_member_serialize,
                             traits::is_specialized_non_member_serialize>)
        serialize(from, value);
    else if constexpr (takes<Type, Reader, traits::has_member_load,
                             traits::is_specialized_member_load>)
        cereal::access::member_load(from, value);
    else if constexpr (takes<Type, Reader, traits::has_non_member_load,
                             traits::is_specialized_non_member_load>)
        load(from, value);
    else if constexpr (takes<Type, Reader, traits::has_member_load_minimal,
                             traits::is_specialized_member_load_minimal>)
    {
        typename traits::has_member_save_minimal<Type, writer>::type minimal{};
        from(minimal);
        cereal::access::member_load_minimal(from, value, minimal);
    }
    else if constexpr (takes<Type, Reader, traits::has_non_member_load_minimal,
                             traits::is_specialized_non_member_load_minimal>)
    {
        typename traits::has_non_member_save_minimal<Type, writer>::type minimal{};
        from(minimal);
        load_minimal(from, value, minimal);
    }
    else
        load_versioned(from, value);
}

} // namespace brood::detail
