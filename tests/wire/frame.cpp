// SPDX-License-Identifier: BSL-1.0
#include <brood/wire/frame.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <string>

using brood::frame_header;
using brood::frame_kind;

namespace
{

using header_bytes = std::array<std::byte, frame_header::size>;

header_bytes stored(const frame_header& header)
{
    header_bytes bytes;
    store(header, bytes);
    return bytes;
}

} // namespace

TEST_CASE("a header has one layout, little-endian, for ever", "[frame]")
{
    frame_header header{0x04030201, frame_kind::request, 0x5a,
                        0x0706,     0x1817161514131211,  0x2827262524232221};
    auto bytes = stored(header);

    std::array<unsigned, frame_header::size> expected{
        1,    2,    3,    4,                            // length
        4,    0x5a,                                     // kind, reserved
        6,    7,                                        // descriptors
        0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, // fingerprint
        0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, // correlation
    };
    for (std::size_t index = 0; index < bytes.size(); ++index)
        CHECK(std::to_integer<unsigned>(bytes[index]) == expected[index]);
}

TEST_CASE("what was stored is loaded", "[frame]")
{
    frame_header header{0xffffffff, frame_kind::control, 255, 0xffff, ~0ULL, 1ULL << 63};
    auto bytes = stored(header);
    auto copy = brood::load(bytes);

    CHECK(copy.length == header.length);
    CHECK(copy.kind == header.kind);
    CHECK(copy.reserved == header.reserved);
    CHECK(copy.descriptors == header.descriptors);
    CHECK(copy.fingerprint == header.fingerprint);
    CHECK(copy.correlation == header.correlation);
}

TEST_CASE("a hello spells the name and a line end of each kind", "[frame]")
{
    auto bytes = stored({0, frame_kind::hello, 0, 0, brood::wire_magic, brood::wire_version});
    std::string magic(reinterpret_cast<const char*>(bytes.data()) + 8, 8);

    CHECK(magic == std::string("brood\r\n\0", 8));
}
