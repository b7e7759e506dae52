// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/buffer.hpp>
#include <brood/base/error.hpp>
#include <brood/codec/archive.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace brood::detail
{

/// Items that a worker is sent together: encoded one by one, so that what is wrong with one of them
/// is its own business.
struct chunk_request
{
    std::uint64_t first = 0;      ///< The index of the first of them in its range.
    std::uint32_t count = 0;      ///< How many there are.
    std::uint64_t most_time = 0;  ///< When so many nanoseconds have gone, the rest is given back.
    std::uint64_t most_bytes = 0; ///< When the outcomes have so many bytes, as well.
    std::string items;            ///< As chunk_writer writes them.

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(first, count, most_time, most_bytes, items);
    }
};

/// What came of the first items of a chunk.
struct chunk_reply
{
    std::uint32_t told = 0;        ///< How many outcomes there are; what is not told is given back.
    std::uint32_t failed = 0;      ///< How many of them are failures.
    std::uint64_t nanoseconds = 0; ///< How long the worker has computed.
    std::string outcomes;          ///< As chunk_writer writes them.
    std::string peer;              ///< Who told it; does not cross.

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(told, failed, nanoseconds, outcomes);
    }
};

/// A failure as it crosses.
struct item_failure
{
    std::string type;
    std::string text;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(type, text);
    }
};

/// What an outcome begins with.
enum class outcome_kind : std::uint8_t
{
    value,
    failure,
};

/// Writes items one behind the other, each with its length in front.
class chunk_writer
{
public:
    /// Adds an item that consists of these values. When this throws, what an encoding throws,
    /// nothing has been added.
    template <class... Values>
    void add(const Values&... values)
    {
        auto before = bytes_.size();
        bytes_.append("\0\0\0\0", length_bytes);
        try
        {
            if constexpr (sizeof...(Values) > 0)
            {
                archive_writer writer(bytes_); // which has to go before the buffer is used
                writer(values...);
            }
            close(before);
        }
        catch (...)
        {
            bytes_.truncate(before);
            throw;
        }
    }

    std::size_t size() const noexcept { return bytes_.size(); }

    std::uint32_t count() const noexcept { return count_; }

    bool empty() const noexcept { return count_ == 0; }

    /// What the last item takes, its length included.
    std::size_t last_size() const noexcept { return bytes_.size() - last_; }

    /// All of it; the writer is empty then.
    std::string take() { return take(bytes_.size(), count_); }

    /// All but the last item, which stays.
    std::string take_all_but_last() { return take(last_, count_ - 1); }

private:
    static constexpr std::size_t length_bytes = 4;

    void close(std::size_t begin)
    {
        auto length = bytes_.size() - begin - length_bytes;
        if (length > UINT32_MAX)
            throw error(errc::too_large, "an item of " + std::to_string(length) + " bytes");
        auto place = bytes_.data().data() + begin;
        for (std::size_t byte = 0; byte < length_bytes; ++byte)
            place[byte] = static_cast<std::byte>(length >> (8 * byte));
        last_ = begin;
        ++count_;
    }

    std::string take(std::size_t bytes, std::uint32_t count)
    {
        std::string taken(reinterpret_cast<const char*>(bytes_.data().data()), bytes);
        bytes_.consume(bytes);
        last_ = 0;
        count_ -= count;
        return taken;
    }

    buffer bytes_;
    std::size_t last_ = 0; // where the last item begins
    std::uint32_t count_ = 0;
};

/// Reads what a chunk_writer wrote; it may come from anybody.
class chunk_reader
{
public:
    /// The bytes have to live as long as what is read from them.
    explicit chunk_reader(std::string_view from = {}) noexcept : left_(from) {}

    /// The next item with its length in front. Throws brood::error (malformed) when there is none.
    std::string_view next_whole()
    {
        if (left_.size() < length_bytes)
            throw_cut();
        std::size_t length = 0;
        for (std::size_t byte = 0; byte < length_bytes; ++byte)
            length |= std::size_t{static_cast<unsigned char>(left_[byte])} << (8 * byte);
        if (left_.size() - length_bytes < length)
            throw_cut();
        auto item = left_.substr(0, length_bytes + length);
        left_.remove_prefix(item.size());
        return item;
    }

    /// The next item.
    std::span<const std::byte> next()
    {
        auto item = next_whole().substr(length_bytes);
        return {reinterpret_cast<const std::byte*>(item.data()), item.size()};
    }

private:
    static constexpr std::size_t length_bytes = 4;

    [[noreturn, gnu::cold]] static void throw_cut()
    {
        throw error(errc::malformed, "a chunk of items ends too early");
    }

    std::string_view left_;
};

} // namespace brood::detail
