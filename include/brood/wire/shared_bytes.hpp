// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/impl/config.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <utility>

namespace brood
{

class copied_bytes;

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
    static shared_bytes copy_of(std::span<const std::byte> bytes);

    /// A block of `size` bytes, all zero, that `fill(std::span<std::byte>)` writes before anybody
    /// shares it.
    template <class Fill>
    static shared_bytes filled(std::size_t size, Fill&& fill)
    {
        return make(size, std::ref(fill));
    }

    /// The block that another process made, from the descriptor that came with its message.
    ///
    /// What that process could still change or cut off is copied. Throws std::system_error for what
    /// is no file in memory.
    static shared_bytes from(descriptor file);

    std::span<const std::byte> bytes() const noexcept;

    std::size_t size() const noexcept { return bytes().size(); }

    bool empty() const noexcept { return size() == 0; }

    /// A descriptor of the block, to be sent.
    descriptor share() const;

    /// The block, to be sent beside a message also to a process on another machine, which gets a
    /// copy of its bytes: `child.send(job, block.copied())`. On this machine it is shared as ever.
    copied_bytes copied() const;

private:
    struct block;

    static shared_bytes make(std::size_t size,
                             const std::function<void(std::span<std::byte>)>& fill);

    shared_bytes(descriptor file, std::size_t size);

    std::shared_ptr<const block> block_;
};

/// A block that may be copied where it cannot be shared: made by shared_bytes::copied().
///
/// Its bytes are part of the message then, and count for its longest. The receiver asks for
/// `carrying<job, shared_bytes>` in both cases.
class copied_bytes
{
public:
    explicit copied_bytes(shared_bytes block) noexcept : block_(std::move(block)) {}

    const shared_bytes& block() const noexcept { return block_; }

private:
    shared_bytes block_;
};

inline copied_bytes shared_bytes::copied() const
{
    return copied_bytes(*this);
}

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/wire/impl/shared_bytes.ipp>
#endif
