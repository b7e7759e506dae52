// SPDX-License-Identifier: BSL-1.0
#pragma once

// How the bodies of brood are compiled, and what the compiler has to offer. Every face includes it
// first, so that what is missing is said before anything else fails.

#if !defined(__cpp_impl_coroutine) || __cplusplus < 202002L
#error "brood: C++20 with coroutines is needed: compile with -std=c++20"
#endif

#if !defined(__cpp_rtti)
#error "brood: run-time type information is needed: compile without -fno-rtti"
#endif

#if !defined(__cpp_exceptions)
#error "brood: exceptions are needed: compile without -fno-exceptions"
#endif

// Header-only, each file that includes brood compiles the bodies; with BROOD_SEPARATE_COMPILATION
// only the one that includes <brood/impl/src.hpp>.
#if defined(BROOD_SEPARATE_COMPILATION)
#define BROOD_INLINE
#else
#define BROOD_INLINE inline
#endif
