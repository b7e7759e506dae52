// SPDX-License-Identifier: BSL-1.0
#pragma once

// All files of one program must agree on the version of brood, on that of Asio, and on whether the
// bodies are compiled separately. Those that do not are not linked, and the name of the symbol that
// the linker misses says why.

#include <brood/version.hpp>

#include <asio/version.hpp>

#define BROOD_JOINED_NAME(brood, asio, rest) brood_##brood##_with_asio_##asio##_##rest
#define BROOD_JOINED(brood, asio, rest) BROOD_JOINED_NAME(brood, asio, rest)
#define BROOD_SYMBOL(rest) BROOD_JOINED(BROOD_VERSION, ASIO_VERSION, rest)

#if defined(BROOD_SEPARATE_COMPILATION)
#define BROOD_WAY BROOD_SYMBOL(compiled_as_all_files_of_a_program_must_be)
#define BROOD_WAY_DIGIT "1"
// The bodies: <brood/impl/src.hpp> defines it.
#define BROOD_BODIES BROOD_SYMBOL(compiled_where_one_file_includes_brood_impl_src_hpp)
extern "C" const char BROOD_BODIES;
#else
#define BROOD_WAY BROOD_SYMBOL(header_only_as_all_files_of_a_program_must_be)
#define BROOD_WAY_DIGIT "0"
#endif

#if defined(__ELF__)

// The linker keeps the first section group of a name and drops the others. All files have a group
// `brood_agreement`, but what is in it is named after what they agree on: who has another name
// misses it. Its kind of symbol may come with many copies of a group and is not weak all the same.
// What is optimised at link time is one file for the assembler, which compares numbers.
#define BROOD_TEXT_OF(name) #name
#define BROOD_TEXT(name) BROOD_TEXT_OF(name)
#define BROOD_WAY_NUMBER                                                                           \
    "(" BROOD_TEXT(BROOD_VERSION) "0000000" BROOD_WAY_DIGIT " + " BROOD_TEXT(ASIO_VERSION) "0)"
#define BROOD_WAY_NAME BROOD_TEXT(BROOD_WAY)

extern "C" const char BROOD_WAY;
asm(".ifndef .Lbrood_agreement\n"
    ".set .Lbrood_agreement, " BROOD_WAY_NUMBER "\n"
    ".pushsection .rodata.brood, \"aG\", %progbits, brood_agreement, comdat\n"
    ".type " BROOD_WAY_NAME ", %gnu_unique_object\n"
    ".hidden " BROOD_WAY_NAME "\n"
    ".size " BROOD_WAY_NAME ", 1\n" BROOD_WAY_NAME ": .byte 0\n"
    ".popsection\n"
    ".elseif .Lbrood_agreement - " BROOD_WAY_NUMBER "\n"
    ".error \"" BROOD_WAY_NAME "\"\n"
    ".endif\n");

#endif

namespace brood::detail
{
namespace
{

// They refer to the symbols, and stay where what is not used is dropped.
#if defined(BROOD_SEPARATE_COMPILATION)
[[gnu::used, gnu::retain]] constexpr const char* needed_bodies = &BROOD_BODIES;
#endif
#if defined(__ELF__)
[[gnu::used, gnu::retain]] constexpr const char* needed_way = &BROOD_WAY;
#endif

} // namespace
} // namespace brood::detail
