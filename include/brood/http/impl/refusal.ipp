// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/http/refusal.hpp>

#include <utility>

namespace brood::http
{

BROOD_INLINE refusal::refusal(unsigned status, const std::string& text,
                              std::initializer_list<fields::field> headers)
    : refusal(status, text)
{
    fields all;
    for (auto& [name, value] : headers)
        all.add(name, value);
    headers_ = std::make_shared<const fields>(std::move(all));
}

BROOD_INLINE const fields& refusal::headers() const noexcept
{
    static const fields none;
    return headers_ ? *headers_ : none;
}

} // namespace brood::http
