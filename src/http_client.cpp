// SPDX-License-Identifier: BSL-1.0

#include <brood/http/impl/client.ipp>
#include <brood/http/impl/client_request.ipp>
#include <brood/http/impl/client_response.ipp>
#include <brood/http/impl/upload.ipp>
