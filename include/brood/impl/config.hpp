// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the compiler and Asio must offer, and how the bodies of brood are compiled. Every face
// includes it first, so that what is missing is said before anything else fails.

#if !defined(__cpp_impl_coroutine) || __cplusplus < 202002L
#error "brood: C++20 with coroutines is needed: compile with -std=c++20"
#endif

#if !defined(__cpp_rtti)
#error "brood: run-time type information is needed: compile without -fno-rtti"
#endif

#if !defined(__cpp_exceptions)
#error "brood: exceptions are needed: compile without -fno-exceptions"
#endif

// Asio allocates by std::aligned_alloc where the standard library has it, which it does not see
// when it comes before all headers of that: files that disagree would delete what others have
// malloc'ed.
#include <cstddef>

#include <asio/version.hpp>

#if ASIO_VERSION < 102200
#error "brood: Asio 1.22 or newer is needed"
#endif

// Asio before 1.26 looks for coroutines on clang only in <experimental/coroutine>, which has gone.
// clang-format off
#if defined(__clang__) && ASIO_VERSION < 102600
#if defined(ASIO_DETAIL_CONFIG_HPP) && !defined(ASIO_HAS_CO_AWAIT)
#error "brood: this Asio was included before brood and without coroutines: include brood first, \
or compile with -DASIO_HAS_CO_AWAIT=1 -DASIO_HAS_STD_COROUTINE=1"
#endif
// clang-format on
#ifndef ASIO_HAS_CO_AWAIT
#define ASIO_HAS_CO_AWAIT 1
#endif
#ifndef ASIO_HAS_STD_COROUTINE
#define ASIO_HAS_STD_COROUTINE 1
#endif
#endif

// Header-only, each file that includes brood compiles the bodies; with BROOD_SEPARATE_COMPILATION
// only the one that includes <brood/impl/src.hpp>.
#if defined(BROOD_SEPARATE_COMPILATION)
#define BROOD_INLINE
#else
#define BROOD_INLINE inline
#endif

#include <brood/impl/agreement.hpp>
