// SPDX-License-Identifier: BSL-1.0
#include <brood/process/pipe_stream.hpp>

#include "support/catch.hpp"
#include "support/shell.hpp"
#include "support/within.hpp"

#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <string>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::spawn_options;
using brood::stdio;
using brood::task;

namespace
{

/// A program that writes back what it reads.
brood::child_process echo()
{
    spawn_options options;
    options.stdin_ = stdio::pipe();
    options.stdout_ = stdio::pipe();
    return brood::spawn("cat", {}, options);
}

} // namespace

TEST_WITHIN(10s, "Asio's own operations read and write pipes, mixed with ours", "[pipe_stream]")
{
    auto child = echo();
    std::string text = "by asio\nby brood\n";
    co_await asio::async_write(child.in(), asio::buffer(text), asio::use_awaitable);
    child.in().close();
    std::string read;
    auto into = asio::dynamic_buffer(read);
    auto count = co_await asio::async_read_until(child.out(), into, '\n', asio::use_awaitable);
    co_await child.exit();

    CHECK(read.substr(0, count) == "by asio\n");
}
