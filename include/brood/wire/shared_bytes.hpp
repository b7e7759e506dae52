// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/wire/internal/memory_file.hpp>

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <sys/mman.h>
#include <utility>

namespace brood
{

/// A block of memory that processes share without copying it: a gigabyte costs what a small message
/// does.
///
/// It is written once, when it is made, and only read from then on, here and everywhere it is sent
/// to (on Linux the kernel sees to that:
/// https://man7.org/linux/man-pages/man2/memfd_create.2.html). Copies of this object share the
/// block; it is freed when the last process has let go of it. Send it beside a message,
/// `child.send(job, block)`, and take it with `message<carrying<job, shared_bytes>>()`.
class shared_bytes
{
public:
    /// No bytes.
    shared_bytes() noexcept = default;

    /// A block with a copy of these bytes. Throws std::system_error when there is no memory.
    static shared_bytes copy_of(std::span<const std::byte> bytes)
    {
        return filled(bytes.size(),
                      [bytes](std::span<std::byte> block)
                      {
                          if (!bytes.empty())
                              std::memcpy(block.data(), bytes.data(), bytes.size());
                      });
    }

    /// A block of `size` bytes, all zero, that `fill(std::span<std::byte>)` writes before anybody
    /// shares it.
    template <class Fill>
    static shared_bytes filled(std::size_t size, Fill&& fill)
    {
        auto file = detail::make_memory_file(size);
        {
            detail::mapping writable(file, size, PROT_READ | PROT_WRITE, MAP_SHARED);
            std::forward<Fill>(fill)(writable.bytes());
        }
        detail::seal_memory_file(file);
        return shared_bytes(std::move(file), size);
    }

    /// The block that another process made, from the descriptor that came with its message.
    ///
    /// What that process could still change or cut off is copied. Throws std::system_error for what
    /// is no file in memory.
    static shared_bytes from(descriptor file)
    {
        auto sealed = detail::is_sealed(file); // before the size is asked for, which stays then
        auto size = detail::size_of_file(file);
        if (sealed)
            return shared_bytes(std::move(file), size);
        return filled(size, [&](std::span<std::byte> block) { detail::read_file(file, block); });
    }

    std::span<const std::byte> bytes() const noexcept
    {
        return block_ ? std::span<const std::byte>(block_->memory.bytes())
                      : std::span<const std::byte>();
    }

    std::size_t size() const noexcept { return bytes().size(); }

    bool empty() const noexcept { return size() == 0; }

    /// A descriptor of the block, to be sent.
    descriptor share() const
    {
        return block_ ? block_->file.duplicate() : detail::make_memory_file(0);
    }

private:
    struct block
    {
        descriptor file;
        detail::mapping memory;
    };

    // A private mapping that is only read shares its pages with all others, and unlike a shared one
    // is allowed for a file that was sealed against writing before Linux 6.7.
    shared_bytes(descriptor file, std::size_t size)
    {
        detail::mapping memory(file, size, PROT_READ, MAP_PRIVATE);
        block_ = std::make_shared<const block>(block{std::move(file), std::move(memory)});
    }

    std::shared_ptr<const block> block_;
};

} // namespace brood
