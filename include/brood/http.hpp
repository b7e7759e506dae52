// SPDX-License-Identifier: BSL-1.0
#pragma once

// HTTP/1.1 in coroutines: servers for workers and for themselves, and a client. Needs the headers
// of Boost, for Beast's parser.

#include <brood/impl/config.hpp>

#include <brood/http/access_record.hpp>
#include <brood/http/byte_range.hpp>
#include <brood/http/client.hpp>
#include <brood/http/client_options.hpp>
#include <brood/http/client_request.hpp>
#include <brood/http/client_response.hpp>
#include <brood/http/conditions.hpp>
#include <brood/http/content_type.hpp>
#include <brood/http/date.hpp>
#include <brood/http/date_clock.hpp>
#include <brood/http/etag.hpp>
#include <brood/http/fields.hpp>
#include <brood/http/file.hpp>
#include <brood/http/head.hpp>
#include <brood/http/health.hpp>
#include <brood/http/host.hpp>
#include <brood/http/percent.hpp>
#include <brood/http/refusal.hpp>
#include <brood/http/request.hpp>
#include <brood/http/response.hpp>
#include <brood/http/server.hpp>
#include <brood/http/server_options.hpp>
#include <brood/http/status.hpp>
#include <brood/http/stream_socket.hpp>
#include <brood/http/target.hpp>
#include <brood/http/upload.hpp>
#include <brood/http/url.hpp>
