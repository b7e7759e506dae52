// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/buffer.hpp>
#include <brood/base/descriptor.hpp>
#include <brood/codec/archive.hpp>
#include <brood/codec/message.hpp>
#include <brood/wire/frame.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace brood::detail
{

class link;
class sender;

/// A type, as frames say it.
struct type_label
{
    std::uint64_t fingerprint;
    std::string_view name;
};

template <class Message>
constexpr type_label label_of()
{
    return {message_fingerprint<Message>(), message_name<Message>()};
}

/// A frame that is put together in the buffer from which it leaves. One that is not sent, because
/// something threw, was never there.
class frame_writer
{
public:
    /// Throws brood::error (closed, overflow; too_large for more descriptors than are allowed) when
    /// no such frame may be added.
    frame_writer(link& to, frame_kind kind, type_label type, std::uint64_t number = 0,
                 std::size_t descriptors = 0);

    frame_writer(const frame_writer&) = delete;
    frame_writer& operator=(const frame_writer&) = delete;

    ~frame_writer()
    {
        if (to_ != nullptr)
            take_back();
    }

    /// Throws what the value's own serialisation throws, and brood::error (too_large).
    template <class Message>
    void write(const Message& value)
    {
        archive_limits limits;
        limits.bytes = most_;
        try
        {
            encode(*payload_, value, limits);
        }
        catch (const too_long&)
        {
            throw_too_long();
        }
        check_length();
    }

    /// Adds it. False when it is time to await drained().
    bool send(std::vector<descriptor> beside = {});

private:
    void check_length() const;
    [[noreturn]] void throw_too_long() const;
    void take_back() noexcept;

    sender* to_;
    frame_header header_;
    std::string_view name_;
    buffer* payload_;
    std::size_t most_;  // bytes of a payload
    std::size_t start_; // where in the buffer it begins
};

} // namespace brood::detail

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/wire/impl/frames.ipp>
#endif
