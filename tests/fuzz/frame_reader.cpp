// SPDX-License-Identifier: BSL-1.0
// Bytes of any kind, in pieces of any size, are frames within their limits or refused with
// brood::error, and a refusal is final: nothing else ever happens.

#include <brood/wire/frame_reader.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace
{

constexpr std::size_t max_message = 4096;
constexpr std::size_t max_descriptors = 8;

void require(bool holds)
{
    if (!holds)
        std::abort();
}

// Reads every byte of the payload, so that a sanitizer sees one that is not ours.
void look_at(const brood::frame_reader& reader, const brood::frame& found)
{
    auto payload = reader.payload(found);
    require(payload.size() == found.header.length);
    require(payload.size() <= max_message);
    require(found.header.descriptors <= max_descriptors);
    volatile unsigned sum = 0;
    for (auto byte : payload)
        sum = sum + std::to_integer<unsigned>(byte);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    brood::frame_reader reader(max_message, max_descriptors);
    std::size_t step = size == 0 ? 1 : 1 + data[0];
    bool refused = false;
    for (std::size_t place = 1; place < size;)
    {
        auto room = reader.room();
        auto count = std::min({room.size(), size - place, step});
        std::memcpy(room.data(), data + place, count);
        reader.arrived(count);
        place += count;
        try
        {
            while (auto found = reader.next())
            {
                require(!refused);
                look_at(reader, *found);
                if (found->header.correlation % 2 == 0)
                    reader.release(reader.position());
            }
            require(!refused);
            require(reader.expected_descriptors() <= 65535);
        }
        catch (const brood::error&)
        {
            refused = true;
        }
    }
    return 0;
}
