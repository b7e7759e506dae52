// SPDX-License-Identifier: BSL-1.0
#pragma once

// What faces need of Asio: the coroutine and the executor. Users include Asio themselves when they
// need more of it; the bodies of brood include base/detail/asio.hpp.

#include <brood/impl/config.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
