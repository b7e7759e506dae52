// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>

namespace brood::detail
{

/// Gives a descriptor to an Asio object, whose assign() also takes these. When it throws, because
/// the loop cannot watch one more, the descriptor is closed: Asio would leave it open.
template <class Object, class... Protocol>
void assign_descriptor(descriptor from, Object& object, const Protocol&... protocol)
{
    object.assign(protocol..., from.get());
    [[maybe_unused]] auto moved = from.release();
}

} // namespace brood::detail
