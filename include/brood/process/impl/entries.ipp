// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/process/internal/entries.hpp>

#include <stdexcept>

namespace brood::detail
{

BROOD_INLINE const entry& find_entry(const std::string& name)
{
    const entry* found = nullptr;
    for (auto each = all_entries; each != nullptr; each = each->next)
    {
        if (name != each->name)
            continue;
        if (found != nullptr)
            throw std::logic_error("brood: two functions that fork() starts have the name " + name +
                                   "; give one of them another");
        found = each;
    }
    if (found == nullptr)
        throw std::logic_error("brood: this program has no entry " + name +
                               "; is it the program that forked it?");
    return *found;
}

BROOD_INLINE void throw_without_arguments()
{
    throw error(errc::closed, "the parent has gone before it sent the arguments of the entry");
}

} // namespace brood::detail
