// SPDX-License-Identifier: BSL-1.0
#pragma once

// What faces need of Asio: the coroutine and the executor. Users include Asio themselves when they
// need more of it; the bodies of brood include base/detail/asio.hpp.

#include <brood/impl/config.hpp>

#include <asio/version.hpp>

// Asio before 1.26 looks for coroutines on clang only in <experimental/coroutine>, which has gone.
#if defined(__clang__) && ASIO_VERSION < 102600
#if defined(ASIO_DETAIL_CONFIG_HPP) && !defined(ASIO_HAS_CO_AWAIT)
#error "brood: this Asio was included before brood and without coroutines: \
include brood first, or compile with -DASIO_HAS_CO_AWAIT=1 -DASIO_HAS_STD_COROUTINE=1"
#endif
#ifndef ASIO_HAS_CO_AWAIT
#define ASIO_HAS_CO_AWAIT 1
#endif
#ifndef ASIO_HAS_STD_COROUTINE
#define ASIO_HAS_STD_COROUTINE 1
#endif
#endif

#if ASIO_VERSION < 102200
#error "brood: Asio 1.22 or newer is needed"
#endif

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
