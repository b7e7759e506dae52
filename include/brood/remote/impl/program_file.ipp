// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>
#include <brood/base/internal/hash.hpp>
#include <brood/remote/program_file.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace brood
{
namespace detail
{

constexpr std::array<std::uint32_t, 256> make_cksum_table()
{
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte)
    {
        auto value = byte << 24;
        for (int bit = 0; bit < 8; ++bit)
            value = (value & 0x80000000U) != 0 ? (value << 1) ^ 0x04c11db7U : value << 1;
        table[byte] = value;
    }
    return table;
}

/// What cksum(1) prints first: the CRC of the bytes and of their number, as POSIX has it.
inline std::uint32_t cksum(std::string_view bytes)
{
    static constexpr auto table = make_cksum_table();
    std::uint32_t value = 0;
    auto add = [&value](unsigned byte)
    {
        value = (value << 8) ^ table[((value >> 24) ^ byte) & 0xff];
    };
    for (auto byte : bytes)
        add(static_cast<unsigned char>(byte));
    for (auto rest = bytes.size(); rest != 0; rest >>= 8)
        add(static_cast<unsigned>(rest & 0xff));
    return ~value;
}

/// A file in memory, without a copy of it.
class mapped_file
{
public:
    explicit mapped_file(const std::string& path)
    {
        descriptor open(check(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open", path));
        struct stat found
        {
        };
        check(::fstat(open.get(), &found), "stat", path);
        if (!S_ISREG(found.st_mode) || found.st_size == 0)
            throw std::invalid_argument("brood: " + path + " is no program: it is " +
                                        (S_ISREG(found.st_mode) ? "empty" : "no file"));
        size_ = static_cast<std::size_t>(found.st_size);
        bytes_ = check(::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, open.get(), 0), "mmap", path);
    }

    ~mapped_file() { ::munmap(bytes_, size_); }

    mapped_file(const mapped_file&) = delete;
    mapped_file& operator=(const mapped_file&) = delete;

    std::string_view bytes() const noexcept { return {static_cast<const char*>(bytes_), size_}; }

private:
    void* bytes_ = nullptr;
    std::size_t size_ = 0;
};

inline std::string hexadecimal(std::uint64_t value)
{
    std::string text(16, '0');
    for (auto digit = text.rbegin(); digit != text.rend(); ++digit, value >>= 4)
        *digit = "0123456789abcdef"[value & 15];
    return text;
}

} // namespace detail

BROOD_INLINE program_file program_file::read(const std::string& path)
{
    detail::mapped_file file(path);
    program_file made{path};
    made.size = file.bytes().size();
    made.checksum = detail::cksum(file.bytes());
    made.hash = detail::hexadecimal(detail::hash_of(file.bytes()));
    return made;
}

BROOD_INLINE program_file program_file::self()
{
    std::string path(4096, '\0');
    auto size =
        check(::readlink("/proc/self/exe", path.data(), path.size()), "readlink", "/proc/self/exe");
    path.resize(static_cast<std::size_t>(size));
    // The link also works when the file has been replaced meanwhile; the name is the old one then.
    auto made = read("/proc/self/exe");
    made.path = path;
    return made;
}

} // namespace brood
