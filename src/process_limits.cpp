// SPDX-License-Identifier: BSL-1.0

#include <brood/process/impl/worker_limits.ipp>
