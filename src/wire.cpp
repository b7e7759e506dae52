// SPDX-License-Identifier: BSL-1.0

#include <brood/wire/impl/attachment.ipp>
#include <brood/wire/impl/call.ipp>
#include <brood/wire/impl/channel.ipp>
#include <brood/wire/impl/control.ipp>
#include <brood/wire/impl/frames.ipp>
#include <brood/wire/impl/shared_bytes.ipp>
