// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/listener.hpp>
#include <brood/process/process.hpp>

#include "support/client.hpp"
#include "support/load.hpp"

#include <cstddef>

namespace brood::test
{

/// Answers until the client has gone, or this worker is to stop: then the last answer says so.
task<> answer_lines(asio::ip::tcp::socket client, const bool& stopping);

/// A worker that serves any number of clients at a time, and ends when the last has its answer.
task<> serve_lines(process& self);

/// One request on a connection: whether the server keeps it. Throws when the answer is wrong.
task<bool> request_line(asio::ip::tcp::socket& server, std::size_t number);

/// Requests on one connection as long as it is kept, or only one.
task<> ask_lines_on(load& of, asio::ip::tcp::socket server, bool keep);

/// One request after the other: on one connection as long as it is kept, or each on its own.
task<> ask_lines(load& of, bool keep);

} // namespace brood::test
