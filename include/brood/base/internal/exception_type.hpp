// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/demangled.hpp>

#include <exception>
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
        return demangled(typeid(known).name());
    }
    catch (...)
    {
        return "unknown";
    }
}

} // namespace brood::detail
