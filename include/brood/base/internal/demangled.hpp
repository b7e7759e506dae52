// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdlib>
#include <cxxabi.h>
#include <memory>
#include <string>

namespace brood::detail
{

/// What type_info::name() gives, as one writes it in C++; as it is, when it is no such name.
inline std::string demangled(const char* name)
{
    int failed = 0;
    std::unique_ptr<char, void (*)(void*)> text(
        abi::__cxa_demangle(name, nullptr, nullptr, &failed), &std::free);
    return text ? text.get() : name;
}

} // namespace brood::detail
