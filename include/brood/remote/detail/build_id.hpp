// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <string>

#ifdef __ELF__
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <elf.h>
#include <link.h>
#endif

namespace brood::detail
{

#ifdef __ELF__

// In the notes of a program: name "GNU", type 3. elf(5)
inline std::string build_id_of_notes(const char* place, const char* end)
{
    auto padded = [](std::size_t size)
    {
        return (size + 3) & ~std::size_t{3};
    };
    std::string result;
    while (place + sizeof(ElfW(Nhdr)) <= end && result.empty())
    {
        ElfW(Nhdr) note;
        std::memcpy(&note, place, sizeof note);
        auto name = place + sizeof note;
        auto content = name + padded(note.n_namesz);
        if (content + note.n_descsz > end)
            break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            std::memcmp(name, "GNU", 4) == 0)
            for (std::size_t index = 0; index < note.n_descsz; ++index)
            {
                constexpr auto digits = "0123456789abcdef";
                auto value = static_cast<unsigned char>(content[index]);
                result += {digits[value >> 4], digits[value & 15]};
            }
        place = content + padded(note.n_descsz);
    }
    return result;
}

/// What the linker named this program by, in hexadecimal digits; empty when it did not.
inline std::string build_id()
{
    std::string result;
    auto look = [](dl_phdr_info* program, std::size_t, void* into)
    {
        auto& found = *static_cast<std::string*>(into);
        for (int index = 0; index < program->dlpi_phnum && found.empty(); ++index)
        {
            auto& part = program->dlpi_phdr[index];
            if (part.p_type != PT_NOTE)
                continue;
            auto begin = reinterpret_cast<const char*>(program->dlpi_addr + part.p_vaddr);
            found = build_id_of_notes(begin, begin + part.p_memsz);
        }
        return 1; // the first is the program itself
    };
    ::dl_iterate_phdr(look, &result);
    return result;
}

#else

inline std::string build_id()
{
    return {};
}

#endif

/// Why a program of another build may not come, with what to do about it; empty when it may, also
/// where one of the two is not known.
inline std::string refusal_of_build(const std::string& theirs, const std::string& ours,
                                    const std::string& program, const std::string& cure)
{
    if (ours.empty() || theirs.empty() || ours == theirs)
        return {};
    return program + " is another build (" + theirs + ") than that of the primary (" + ours +
           "): " + cure;
}

} // namespace brood::detail
