// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/remote/detail/secret.hpp>
#include <brood/wire/frame.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What a worker and its primary say to each other on a new connection, before the first frame:
//
//     worker   knock:    magic, version, name of the secret, nonce
//     primary  answer:   nonce, proof of both nonces
//     worker   entry:    length, what it is, proof of that and both nonces
//     primary  welcome:  whether it may come, length, what it is to run or why not
//
// The primary proves first that it knows the secret, so that a worker tells nobody else what it is;
// the nonces make what was heard once worth nothing.

namespace brood::detail
{

struct knock
{
    static constexpr std::string_view magic = "brood\r\n\1";
    static constexpr std::uint32_t version = 1;
    static constexpr std::size_t size = 8 + 4 + 16 + 32;

    secret_name name = {};
    secret nonce = {};
};

inline std::array<std::byte, knock::size> to_bytes(const knock& of)
{
    std::array<std::byte, knock::size> result{};
    auto place = result.data();
    for (auto each : bytes_of(knock::magic))
        *place++ = each;
    place = store_little(place, knock::version);
    for (auto each : of.name)
        *place++ = each;
    for (auto each : of.nonce)
        *place++ = each;
    return result;
}

/// The version of something that begins as a knock does; nothing for what does not.
inline std::optional<std::uint32_t> version_of_knock(std::span<const std::byte, knock::size> from)
{
    for (std::size_t index = 0; index < knock::magic.size(); ++index)
        if (from[index] != bytes_of(knock::magic)[index])
            return std::nullopt;
    std::uint32_t version = 0;
    load_little(from.data() + knock::magic.size(), version);
    return version;
}

/// Nothing for what is no knock, or one of another version.
inline std::optional<knock> read_knock(std::span<const std::byte, knock::size> from)
{
    if (version_of_knock(from) != knock::version)
        return std::nullopt;
    knock result;
    auto place = from.data() + knock::magic.size() + sizeof knock::version;
    for (auto& each : result.name)
        each = *place++;
    for (auto& each : result.nonce)
        each = *place++;
    return result;
}

/// What the first byte of a welcome says.
enum class answer_kind : std::uint8_t
{
    refusal = 0,    ///< It never may.
    welcome = 1,    ///< It may come.
    come_again = 2, ///< Not now.
};

/// What both sides know when both nonces were said.
struct nonces
{
    secret of_worker = {};
    secret of_primary = {};

    proof of_the_primary(const secret& shared) const
    {
        return prove(shared, {bytes_of("brood: primary"), of_worker, of_primary});
    }

    proof of_the_worker(const secret& shared, std::span<const std::byte> what) const
    {
        return prove(shared, {bytes_of("brood: worker"), of_primary, of_worker, what});
    }
};

/// What a text of the handshake may have at most.
inline constexpr std::size_t longest_entry = 4096;
inline constexpr std::size_t longest_welcome = std::size_t{1} << 20;

/// A list of texts as bytes: each with its length before it.
inline std::string to_block(const std::vector<std::string>& texts)
{
    std::string block;
    for (auto& each : texts)
    {
        std::array<std::byte, 4> size{};
        store_little(size.data(), static_cast<std::uint32_t>(each.size()));
        block.append(reinterpret_cast<const char*>(size.data()), size.size()).append(each);
    }
    return block;
}

/// Reads what to_block wrote; nothing for what is cut off.
inline std::optional<std::vector<std::string>> read_block(std::string_view block)
{
    std::vector<std::string> texts;
    while (!block.empty())
    {
        std::uint32_t size = 0;
        if (block.size() < sizeof size)
            return std::nullopt;
        load_little(bytes_of(block).data(), size);
        block.remove_prefix(sizeof size);
        if (block.size() < size)
            return std::nullopt;
        texts.emplace_back(block.substr(0, size));
        block.remove_prefix(size);
    }
    return texts;
}

} // namespace brood::detail
