// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/exception_text.hpp>
#include <brood/base/internal/exception_type.hpp>

#include <cereal/types/string.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string>

namespace brood::detail
{

/// What an exception says to the other side, which cannot catch it. Without a type, nothing was
/// thrown: there was no handler.
struct failure
{
    std::string type;
    std::string text;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(type, text);
    }
};

/// Both cut to what a message may hold: there is nobody to take the error of one that is too long.
inline failure describe(const std::exception_ptr& thrown, std::size_t max_message)
{
    failure said{exception_type(thrown), exception_text(thrown)};
    for (auto part : {&said.type, &said.text})
        part->resize(std::min(part->size(), max_message / 4));
    return said;
}

} // namespace brood::detail
