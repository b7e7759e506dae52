// SPDX-License-Identifier: BSL-1.0
#pragma once

// Every body of brood, for the one source file of a program that compiles them:
//
//     #include <brood/impl/src.hpp>   // with BROOD_SEPARATE_COMPILATION defined everywhere

// clang-format off
#if !defined(BROOD_SEPARATE_COMPILATION)
#error "brood: <brood/impl/src.hpp> is for programs that define BROOD_SEPARATE_COMPILATION in all \
of their source files; without it brood is header-only and needs no source file"
#endif
// clang-format on

#include <brood/impl/agreement.ipp>

#include <brood/base/impl/loop.ipp>
#include <brood/base/impl/task.ipp>
