// SPDX-License-Identifier: BSL-1.0

#include <brood/impl/agreement.ipp>

#include <brood/base/impl/all.ipp>
#include <brood/base/impl/loop.ipp>
#include <brood/base/impl/task.ipp>
#include <brood/base/impl/task_group.ipp>
