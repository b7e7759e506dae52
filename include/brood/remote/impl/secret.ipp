// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/remote/detail/secret.hpp>

#include <algorithm>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdexcept>
#include <unistd.h>
#include <vector>

namespace brood::detail
{

BROOD_INLINE secret random_secret()
{
    secret result;
    check(::getentropy(result.data(), result.size()), "random bytes of the kernel");
    return result;
}

BROOD_INLINE proof prove(const secret& by, std::initializer_list<std::span<const std::byte>> texts)
{
    std::vector<std::byte> all;
    for (auto& each : texts)
        all.insert(all.end(), each.begin(), each.end());
    proof result;
    unsigned size = 0;
    auto given = ::HMAC(::EVP_sha256(), by.data(), static_cast<int>(by.size()),
                        reinterpret_cast<const unsigned char*>(all.data()), all.size(),
                        reinterpret_cast<unsigned char*>(result.data()), &size);
    if (given == nullptr || size != result.size())
        throw std::runtime_error("brood: libcrypto gives no HMAC-SHA-256");
    return result;
}

BROOD_INLINE bool is_same(const proof& left, const proof& right) noexcept
{
    return ::CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

BROOD_INLINE secret_name name_of_secret(const secret& of)
{
    auto whole = prove(of, {bytes_of("brood: name")});
    secret_name result;
    std::copy_n(whole.begin(), result.size(), result.begin());
    return result;
}

BROOD_INLINE std::string to_hex(const secret& bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result;
    for (auto each : bytes)
    {
        auto value = std::to_integer<unsigned>(each);
        result += digits[value >> 4];
        result += digits[value & 15];
    }
    return result;
}

BROOD_INLINE std::optional<secret> secret_from_hex(std::string_view text)
{
    constexpr std::string_view digits = "0123456789abcdef";
    secret result;
    if (text.size() != result.size() * 2)
        return std::nullopt;
    for (std::size_t index = 0; index < result.size(); ++index)
    {
        auto high = digits.find(text[2 * index]), low = digits.find(text[2 * index + 1]);
        if (high == digits.npos || low == digits.npos)
            return std::nullopt;
        result[index] = static_cast<std::byte>(high << 4 | low);
    }
    return result;
}

} // namespace brood::detail
