// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/detail/response_core.hpp>
#include <brood/http/response.hpp>

#include <utility>

namespace brood::http
{

BROOD_INLINE unsigned response::status() const noexcept
{
    return core_.status();
}

BROOD_INLINE response& response::status(unsigned code)
{
    core_.status(code);
    return *this;
}

BROOD_INLINE const fields& response::headers() const noexcept
{
    return core_.headers();
}

BROOD_INLINE response& response::set(std::string_view name, std::string_view value)
{
    core_.open_headers().set(name, value);
    return *this;
}

BROOD_INLINE response& response::add(std::string_view name, std::string_view value)
{
    core_.open_headers().add(name, value);
    return *this;
}

BROOD_INLINE response& response::remove(std::string_view name)
{
    core_.open_headers().remove(name);
    return *this;
}

BROOD_INLINE bool response::begun() const noexcept
{
    return core_.begun();
}

BROOD_INLINE bool response::ended() const noexcept
{
    return core_.ended();
}

BROOD_INLINE task<> response::write(std::string_view text)
{
    return core_.write(text);
}

BROOD_INLINE task<> response::end(std::string_view text)
{
    return core_.end(text);
}

BROOD_INLINE task<> response::end_with_file(int file, std::uint64_t offset, std::uint64_t count)
{
    return core_.end_with_file(file, offset, count);
}

BROOD_INLINE task<> response::early_hints(const fields& hints)
{
    return core_.early_hints(hints);
}

BROOD_INLINE task<upgraded> response::upgrade(std::string protocol)
{
    return core_.upgrade(std::move(protocol));
}

} // namespace brood::http
