// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdlib>
#include <cxxabi.h>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>

namespace brood::detail
{

/// The type of an exception as this compiler names it; "unknown" when it is none of the standard
/// library's, or derived from one.
inline std::string exception_type(const std::exception_ptr& thrown)
{
    try
    {
        std::rethrow_exception(thrown);
    }
    catch (const std::exception& known)
    {
        int status = 0;
        auto mangled = typeid(known).name();
        std::unique_ptr<char, void (*)(void*)> name(
            abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free);
        return status == 0 ? name.get() : mangled;
    }
    catch (...)
    {
        return "unknown";
    }
}

} // namespace brood::detail
