// SPDX-License-Identifier: BSL-1.0
// The bodies of Asio, for programs that define ASIO_SEPARATE_COMPILATION.
#include <asio/impl/src.hpp>
