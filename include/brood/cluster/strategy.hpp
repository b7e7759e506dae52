// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cstddef>

namespace brood
{

/// Which children of a supervisor are restarted with one that ended. Those of Erlang/OTP:
/// https://www.erlang.org/doc/apps/stdlib/supervisor.html
enum class strategy
{
    one_for_one,  ///< That one only: the children do not need each other.
    one_for_all,  ///< All: each needs every other.
    rest_for_one, ///< That one and those added after it: each needs those before it.
};

/// The first child that is restarted when the child at that index is; all behind it are, too,
/// unless the strategy is one_for_one.
constexpr std::size_t first_restarted(strategy how, std::size_t index) noexcept
{
    return how == strategy::one_for_all ? 0 : index;
}

} // namespace brood
