// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/wire/internal/memory_file.hpp>
#include <brood/wire/shared_bytes.hpp>

#include <cstring>
#include <sys/mman.h>
#include <utility>

namespace brood
{

struct shared_bytes::block
{
    descriptor file;
    detail::mapping memory;
};

// A private mapping that is only read shares its pages with all others, and unlike a shared one
// is allowed for a file that was sealed against writing before Linux 6.7.
BROOD_INLINE shared_bytes::shared_bytes(descriptor file, std::size_t size)
{
    detail::mapping memory(file, size, PROT_READ, MAP_PRIVATE);
    block_ = std::make_shared<const block>(block{std::move(file), std::move(memory)});
}

BROOD_INLINE shared_bytes shared_bytes::make(std::size_t size,
                                             const std::function<void(std::span<std::byte>)>& fill)
{
    auto file = detail::make_memory_file(size);
    {
        detail::mapping writable(file, size, PROT_READ | PROT_WRITE, MAP_SHARED);
        fill(writable.bytes());
    }
    detail::seal_memory_file(file);
    return shared_bytes(std::move(file), size);
}

BROOD_INLINE shared_bytes shared_bytes::copy_of(std::span<const std::byte> bytes)
{
    return make(bytes.size(),
                [bytes](std::span<std::byte> block)
                {
                    if (!bytes.empty())
                        std::memcpy(block.data(), bytes.data(), bytes.size());
                });
}

BROOD_INLINE shared_bytes shared_bytes::from(descriptor file)
{
    auto sealed = detail::is_sealed(file); // before the size is asked for, which stays then
    auto size = detail::size_of_file(file);
    if (sealed)
        return shared_bytes(std::move(file), size);
    return make(size, [&](std::span<std::byte> block) { detail::read_file(file, block); });
}

BROOD_INLINE std::span<const std::byte> shared_bytes::bytes() const noexcept
{
    return block_ ? std::span<const std::byte>(block_->memory.bytes())
                  : std::span<const std::byte>();
}

BROOD_INLINE descriptor shared_bytes::share() const
{
    return block_ ? block_->file.duplicate() : detail::make_memory_file(0);
}

} // namespace brood
