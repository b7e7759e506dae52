// SPDX-License-Identifier: BSL-1.0
// Bytes of any kind, in pieces of any size, are frames within their limits or refused with
// brood::error, and a refusal is final: nothing else ever happens. A payload is what was sent.

#include <brood/wire/frame_reader.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

namespace
{

// Small, so that an input of some hundred bytes meets every limit.
constexpr std::size_t max_message = 48;
constexpr std::size_t max_descriptors = 8;

void require(bool holds)
{
    if (!holds)
        std::abort();
}

using bytes = std::span<const std::uint8_t>;

void look_at(const brood::frame_reader& reader, const brood::frame& found, bytes stream)
{
    auto payload = reader.payload(found);
    require(payload.size() == found.header.length);
    auto most = found.header.kind == brood::frame_kind::control ? brood::frame_header::max_control
                                                                : max_message;
    require(payload.size() <= std::max(most, brood::frame_header::max_type_name));
    require(found.header.descriptors <= max_descriptors);
    require(found.position + payload.size() <= stream.size());
    auto sent = stream.subspan(found.position, payload.size());
    require(payload.empty() || std::memcmp(payload.data(), sent.data(), sent.size()) == 0);
}

// Takes what is whole; false when the bytes were refused.
bool take(brood::frame_reader& reader, bytes stream)
{
    try
    {
        while (auto found = reader.next())
        {
            look_at(reader, *found, stream);
            if (found->header.correlation % 2 == 0)
                reader.release(reader.position());
        }
        require(reader.expected_descriptors() <= 65535);
        return true;
    }
    catch (const brood::error&)
    {
        return false;
    }
}

// Bytes that come after a refusal change nothing. An exception costs more than all else here, so
// this is tried for some inputs only.
void stays_refused(brood::frame_reader& reader, bytes stream)
{
    for (auto more : {stream.size() < 16 ? stream : stream.first(16), bytes()})
    {
        auto room = reader.room();
        require(room.size() >= more.size());
        std::memcpy(room.data(), stream.data(), more.size());
        reader.arrived(more.size());
        require(!take(reader, stream));
    }
}

} // namespace

// The first byte is the size of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    // One for all inputs: its memory is many times that of an input.
    static brood::frame_reader reader(max_message, max_descriptors);
    reader.reset();
    bytes stream(data + 1, size - 1);
    std::size_t step = 1 + data[0];
    for (std::size_t place = 0; place < stream.size();)
    {
        auto room = reader.room();
        auto count = std::min({room.size(), stream.size() - place, step});
        require(count != 0);
        std::memcpy(room.data(), stream.data() + place, count);
        reader.arrived(count);
        place += count;
        if (take(reader, stream.first(place)))
            continue;
        if (step % 8 == 0)
            stays_refused(reader, stream);
        break;
    }
    return 0;
}
