// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>

#include <string>
#include <utility>

namespace brood
{

class process;

namespace detail
{

/// A function that a forked copy of this program can start with, known by name in parent and child.
struct entry
{
    const char* name;
    task<int> (*start)(process&);
    entry* next;
};

inline entry* all_entries = nullptr;

inline entry* add_entry(entry& added) noexcept
{
    added.next = std::exchange(all_entries, &added);
    return &added;
}

/// The entry of this name. Throws std::logic_error when there is none, or more than one.
const entry& find_entry(const std::string& name);

[[noreturn]] void throw_without_arguments();

} // namespace detail
} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/entries.ipp>
#endif
