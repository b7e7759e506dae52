// SPDX-License-Identifier: BSL-1.0

#include <brood/impl/agreement.ipp>

#include <brood/base/impl/loop.ipp>
#include <brood/base/impl/task.ipp>
