// SPDX-License-Identifier: BSL-1.0

#include <brood/http/impl/access_record.ipp>
#include <brood/http/impl/byte_range.ipp>
#include <brood/http/impl/conditions.ipp>
#include <brood/http/impl/content_type.ipp>
#include <brood/http/impl/date.ipp>
#include <brood/http/impl/etag.ipp>
#include <brood/http/impl/fields.ipp>
#include <brood/http/impl/file.ipp>
#include <brood/http/impl/health.ipp>
#include <brood/http/impl/host.ipp>
#include <brood/http/impl/percent.ipp>
#include <brood/http/impl/refusal.ipp>
#include <brood/http/impl/request.ipp>
#include <brood/http/impl/response.ipp>
#include <brood/http/impl/server.ipp>
#include <brood/http/impl/status.ipp>
#include <brood/http/impl/target.ipp>
#include <brood/http/impl/url.ipp>
