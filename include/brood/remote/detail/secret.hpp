// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace brood::detail
{

/// 32 bytes that nobody guesses: what two processes share, or what one of them says once.
using secret = std::array<std::byte, 32>;

/// What proves that somebody knows a secret: HMAC-SHA-256 of what both have said.
/// https://www.rfc-editor.org/rfc/rfc2104
using proof = std::array<std::byte, 32>;

/// Who a secret is for: what a worker says first, of which nobody learns the secret.
using secret_name = std::array<std::byte, 16>;

/// A new one, from the kernel. Throws std::system_error.
secret random_secret();

/// The proof of these texts, one behind the other.
proof prove(const secret& by, std::initializer_list<std::span<const std::byte>> texts);

/// Whether two are the same; how long that takes says nothing about where they differ.
bool is_same(const proof& left, const proof& right) noexcept;

secret_name name_of_secret(const secret& of);

/// 64 hexadecimal digits.
std::string to_hex(const secret& bytes);

/// Reads them; nothing for any other text.
std::optional<secret> secret_from_hex(std::string_view text);

inline std::span<const std::byte> bytes_of(std::string_view text) noexcept
{
    return std::as_bytes(std::span(text.data(), text.size()));
}

} // namespace brood::detail

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/remote/impl/secret.ipp>
#endif
