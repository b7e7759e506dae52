// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <string>

namespace brood::detail
{

/// What an exception says about itself, or that nobody knows, when it is none of the standard
/// library's.
inline std::string exception_text(const std::exception_ptr& thrown)
{
    try
    {
        std::rethrow_exception(thrown);
    }
    catch (const std::exception& known)
    {
        return known.what();
    }
    catch (...)
    {
        return "an exception of unknown type";
    }
}

} // namespace brood::detail
