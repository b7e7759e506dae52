// SPDX-License-Identifier: BSL-1.0
#include <brood/wire/shared_bytes.hpp>

#include <brood/process/fork.hpp>
#include <brood/process/process.hpp>
#include <brood/wire/channel.hpp>
#include <brood/wire/internal/memory_file.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/within.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <system_error>
#include <utility>

using namespace std::chrono_literals;
using brood::carrying;
using brood::channel;
using brood::descriptor;
using brood::shared_bytes;
using brood::task;

namespace
{

std::span<const std::byte> bytes_of(std::string_view text)
{
    return std::as_bytes(std::span(text));
}

std::string text_of(const shared_bytes& block)
{
    return {reinterpret_cast<const char*>(block.bytes().data()), block.size()};
}

/// Kilobytes of memory that this process made itself, copies among them.
std::size_t own_memory()
{
    std::ifstream file("/proc/self/smaps_rollup");
    std::size_t total = 0, size = 0;
    for (std::string word; file >> word;)
        if (word == "Anonymous:" && file >> size)
            total += size;
    return total;
}

task<> count_sevens(brood::process& self)
{
    for (;;)
    {
        auto taken = co_await self.message<carrying<int, shared_bytes>>();
        if (!taken)
            break;
        auto bytes = taken->object().bytes();
        auto count = std::count(bytes.begin(), bytes.end(), std::byte{7});
        self.send(static_cast<std::int64_t>(count));
        self.send(own_memory());
    }
}

/// Holds a block until it is told to let go, and another word later ends.
task<> hold(brood::process& self)
{
    {
        auto taken = co_await self.message<carrying<int, shared_bytes>>();
        auto block = taken.value().object();
        taken.reset();
        self.send(text_of(block));
        co_await self.message<int>();
        self.send(text_of(block));
        co_await self.message<int>();
    }
    self.send(std::string());
    co_await self.message<int>();
}

/// Whether a process has a block in its memory, or open.
bool has_block(const std::string& process)
{
    std::ifstream maps("/proc/" + process + "/maps");
    std::stringstream text;
    text << maps.rdbuf();
    auto found = text.str().find("memfd:brood") != std::string::npos;
    for (auto& [number, leads] : brood::test::open_descriptors(process))
        found = found || leads.find("memfd:brood") != std::string::npos;
    return found;
}

} // namespace

TEST_CASE("a block holds a copy of what it was made of", "[shared_bytes]")
{
    auto block = shared_bytes::copy_of(bytes_of("some text"));

    CHECK(text_of(block) == "some text");
    CHECK(shared_bytes().empty());
    CHECK(shared_bytes::copy_of({}).empty());
}

TEST_CASE("nobody can change a block, nor cut it off", "[shared_bytes]")
{
    auto block = shared_bytes::copy_of(bytes_of("sealed"));
    auto file = block.share();

    CHECK(::write(file.get(), "x", 1) == -1);
    CHECK(::ftruncate(file.get(), 0) == -1);
    CHECK(::mmap(nullptr, 6, PROT_WRITE, MAP_SHARED, file.get(), 0) == MAP_FAILED);
}

TEST_CASE("copies share the block, which is freed with the last of them", "[shared_bytes]")
{
    auto before = brood::test::open_descriptors().size();
    {
        auto block = shared_bytes::copy_of(bytes_of("text"));
        auto copy = block;
        block = shared_bytes();
        CHECK(text_of(copy) == "text");
        CHECK(brood::test::open_descriptors().size() == before + 1);
    }
    CHECK(brood::test::open_descriptors().size() == before);
}

TEST_WITHIN(10s, "a block arrives beside a message, an empty one too", "[shared_bytes]")
{
    auto [one, other] = channel::pair();
    auto block = shared_bytes::copy_of(bytes_of("across"));
    one.send(1, block);
    one.send(2, shared_bytes());
    auto first = co_await other.message<carrying<int, shared_bytes>>();
    auto second = co_await other.message<carrying<int, shared_bytes>>();

    REQUIRE((first && second));
    CHECK(text_of(first->object()) == "across");
    CHECK(second->object().empty());
}

TEST_WITHIN(60s, "a large block reaches a child without being copied", "[shared_bytes]")
{
    auto block = shared_bytes::filled(std::size_t{256} << 20,
                                      [](std::span<std::byte> bytes)
                                      {
                                          std::memset(bytes.data(), 1, bytes.size());
                                          std::memset(bytes.data() + 5, 7, 1000);
                                      });
    auto child = brood::fork<count_sevens>();
    child.send(1, block);
    auto count = co_await child.message<std::int64_t>();
    auto memory = co_await child.message<std::size_t>();

    CHECK(count == 1000);
    REQUIRE(memory);
#if !defined(__SANITIZE_ADDRESS__)
    CHECK(*memory < 16 << 10); // kilobytes
#endif
    child.disconnect();
    co_await child.exit();
}

TEST_WITHIN(20s, "a block stays as long as one process holds it, and no longer", "[shared_bytes]")
{
    auto child = brood::fork<hold>();
    auto pid = std::to_string(child.pid());
    {
        auto block = shared_bytes::copy_of(bytes_of("kept"));
        child.send(1, block);
        auto came = co_await child.message<std::string>();
        CHECK(came == "kept");
        CHECK(has_block("self"));
    }
    auto let_go = co_await brood::test::eventually(5s, [] { return !has_block("self"); });
    CHECK(let_go);
    CHECK(has_block(pid));

    child.send(2);
    auto still = co_await child.message<std::string>();
    CHECK(still == "kept");
    child.send(3);
    co_await child.message<std::string>();
    CHECK_FALSE(has_block(pid));
    child.disconnect();
    co_await child.exit();
}

TEST_CASE("a file that its sender could still change is copied", "[shared_bytes]")
{
    auto file = brood::detail::make_memory_file(4);
    REQUIRE(::pwrite(file.get(), "text", 4, 0) == 4);
    auto block = shared_bytes::from(file.duplicate());
    REQUIRE(::pwrite(file.get(), "evil", 4, 0) == 4);
    REQUIRE(::ftruncate(file.get(), 0) == 0);

    CHECK(text_of(block) == "text");
}

TEST_CASE("what is no file in memory is refused", "[shared_bytes]")
{
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    descriptor reading(ends[0]), writing(ends[1]);

    CHECK_THROWS_AS(shared_bytes::from(std::move(reading)), std::system_error);
}

TEST_CASE("without memory files, ordinary ones without a name do", "[shared_bytes]")
{
    brood::detail::without_memfd = true;
    within(10s,
           []() -> task<>
           {
               auto [one, other] = channel::pair();
               auto block = shared_bytes::copy_of(bytes_of("portable"));
               one.send(1, block);
               auto taken = co_await other.message<carrying<int, shared_bytes>>();
               REQUIRE(taken);
               CHECK(text_of(taken->object()) == "portable");
           });
    brood::detail::without_memfd = false;
}

#ifdef __linux__
namespace
{

/// What the sender of a file does just when its size has been asked for.
std::function<void()> after_size;

} // namespace

extern "C" int fstat(int number, struct stat* about) noexcept
{
    auto result = static_cast<int>(::syscall(SYS_fstat, number, about));
    if (auto then = std::exchange(after_size, nullptr))
        then();
    return result;
}

TEST_CASE("a file that is cut off and sealed while it is looked at is not mapped beyond its end",
          "[shared_bytes]")
{
    auto file = brood::detail::make_memory_file(4096);
    after_size = [&]
    {
        REQUIRE(::ftruncate(file.get(), 0) == 0);
        brood::detail::seal_memory_file(file);
    };

    std::size_t size = 0;
    try
    {
        size = shared_bytes::from(file.duplicate()).size(); // reading more is a SIGBUS
    }
    catch (const std::system_error&) // that it was cut off
    {
    }

    CHECK(size == 0);
}
#endif
