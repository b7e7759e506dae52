// SPDX-License-Identifier: BSL-1.0
// Whatever a child writes into its channel, its parent goes on: an error that says what and from
// which process, within the limits of memory, and other children are unaffected.
#include <brood/process/fork.hpp>
#include <brood/process/process.hpp>
#include <brood/wire/frame.hpp>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/echo.hpp"
#include "support/frames.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <cereal/types/memory.hpp>
#include <cereal/types/vector.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace brood::test;
using brood::frame_kind;
using brood::task;
using Catch::Matchers::ContainsSubstring;

namespace
{

// The channel of a forked process is the first descriptor behind the standard ones.
constexpr int channel_descriptor = 3;

struct nested
{
    std::unique_ptr<nested> inner;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(inner);
    }
};

/// Whether everything could be written.
bool write_all(const std::string& bytes)
{
    std::size_t done = 0;
    while (done < bytes.size())
    {
        auto count =
            ::send(channel_descriptor, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
        if (count == -1 && errno != EAGAIN)
            return false;
        if (count > 0)
            done += static_cast<std::size_t>(count);
    }
    return true;
}

/// Says what it is told to say, byte for byte, behind brood's own hello, and lives on.
task<> say(brood::process& self, std::string bytes)
{
    co_await self.flush();
    write_all(bytes);
    co_await self.shutdown();
}

/// The same, and closes its end.
task<> say_and_go(brood::process& self, std::string bytes)
{
    co_await self.flush();
    write_all(bytes);
    ::shutdown(channel_descriptor, SHUT_WR);
    co_await brood::sleep(1h);
}

/// Writes more than is read without being asked, and dies in the middle of a frame.
task<> die_in_a_frame(brood::process& self)
{
    co_await self.flush();
    auto bytes = message_bytes(std::string(100'000, 'x'));
    for (int count = 0; count < 11; ++count)
        write_all(bytes);
    bytes.pop_back();
    write_all(bytes);
    ::_exit(0);
}

/// Whether nobody has read from the channel for a while, so that it is full.
bool is_full()
{
    for (int count = 0; count < 20; ++count)
    {
        pollfd channel{channel_descriptor, POLLOUT, 0};
        if (::poll(&channel, 1, 0) != 0)
            return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

/// Ends when the channel is full, and leaves a process that writes into it for ever.
task<> leave_a_writer(brood::process& self)
{
    co_await self.flush();
    std::string flood;
    for (int count = 0; count < 4000; ++count)
        flood += message_bytes(2);
    if (::fork() == 0)
        for (;;)
            if (!write_all(flood))
                ::_exit(0);
    while (!is_full())
    {
    }
    ::_exit(0);
}

/// Sends a message with its standard input beside it, and without a word about that.
task<> pass_stdin(brood::process& self)
{
    co_await self.flush();
    auto frame = message_bytes(1);
    iovec bytes{frame.data(), frame.size()};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))];
    msghdr message = {};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    auto header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    int number = 0;
    std::memcpy(CMSG_DATA(header), &number, sizeof number);
    ::sendmsg(channel_descriptor, &message, MSG_NOSIGNAL);
    co_await self.shutdown();
}

template <class Message>
task<brood::error> refusal(brood::forked_process& child)
{
    try
    {
        auto message = co_await child.message<Message>();
        co_return brood::error(brood::errc::closed, message ? "a message" : "the end");
    }
    catch (const brood::error& wrong)
    {
        co_return wrong;
    }
}

/// What the parent says about a child that says this, while another child goes on.
template <class Message, auto Entry = &say>
task<brood::error> parent_says(std::string bytes)
{
    auto good = brood::fork<&echo>();
    auto bad = brood::fork<Entry>(bytes);
    auto wrong = co_await refusal<Message>(bad);
    CHECK_THAT(wrong.what(), ContainsSubstring(std::to_string(bad.pid())));
    good.send(1);
    auto still = co_await good.message<int>();
    CHECK(still == 1);
    co_await bad.stop();
    co_return wrong;
}

template <class Message, auto Entry = &say>
void hears(const std::string& bytes, brood::errc code, const std::string& text)
{
    INFO(text);
    within(20s,
           [=]() -> task<>
           {
               auto wrong = co_await parent_says<Message, Entry>(bytes);
               CHECK(wrong.code() == code);
               CHECK_THAT(wrong.what(), ContainsSubstring(text));
           });
}

// AddressSanitizer keeps what was freed for a while, up to 256 MB.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BROOD_TEST_KEEPS_FREED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define BROOD_TEST_KEEPS_FREED 1
#endif
#ifdef BROOD_TEST_KEEPS_FREED
constexpr std::size_t freed_and_kept = 256 << 10;
#else
constexpr std::size_t freed_and_kept = 0;
#endif

std::size_t resident_kilobytes()
{
    std::size_t size = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> size >> resident;
    return resident * 4;
}

} // namespace

TEST_CASE("bytes that are no frame are refused with the pid", "[hostile_peer]")
{
    hears<int>(std::string(1000, 'x'), brood::errc::malformed, "unknown kind");
    hears<int>(frame_bytes({0, frame_kind{99}, 0, 0, 0, 0}), brood::errc::malformed, "kind 99");
    hears<int>(hello_bytes(), brood::errc::malformed, "kind 1");
    hears<int>(frame_bytes({0xfffffff0, frame_kind::message, 0, 0, 0, 0}), brood::errc::too_large,
               "4294967280 bytes");
}

TEST_CASE("half a frame and then the end is refused, and no end", "[hostile_peer]")
{
    auto half = message_bytes(1);
    half.pop_back();
    hears<int, &say_and_go>(half, brood::errc::malformed, "in the middle of a frame");
    hears<int, &say_and_go>("x", brood::errc::malformed, "in the middle of a frame");
}

TEST_WITHIN(
    30s,
    "a frame that death cuts off is the end behind the whole ones, also when that is seen first",
    "[hostile_peer]")
{
    for (int round = 0; round < 10; ++round)
    {
        auto child = brood::fork<&die_in_a_frame>();
        co_await child.exit();
        for (int count = 0; count < 11; ++count)
        {
            auto whole = co_await child.message<std::string>();
            CHECK((whole && whole->size() == 100'000));
        }
        auto end = co_await child.message<std::string>();
        CHECK_FALSE(end);
    }
}

TEST_CASE("values that cannot be are refused", "[hostile_peer]")
{
    auto count = payload_bytes(std::uint64_t{1} << 60);
    hears<std::vector<int>>(message_bytes<std::vector<int>>(count + "xxxx"), brood::errc::malformed,
                            "vector");
    hears<bool>(message_bytes<bool>(std::string("\7", 1)), brood::errc::malformed, "bool");
    hears<int>(message_bytes<int>("12345"), brood::errc::malformed, "i32");
    hears<int>(message_bytes<int>("1"), brood::errc::malformed, "i32");
    hears<nested>(message_bytes<nested>(std::string(1'000'000, '\1')), brood::errc::malformed,
                  "nested");
}

TEST_WITHIN(20s, "a message of another type is told and stays", "[hostile_peer]")
{
    auto child = brood::fork<&say>(message_bytes(std::string("text")));
    auto wrong = co_await refusal<int>(child);
    CHECK(wrong.code() == brood::errc::wrong_type);
    auto text = co_await child.message<std::string>();
    CHECK(text == "text");
}

TEST_WITHIN(20s, "a good message before a bad frame arrives, one behind it never",
            "[hostile_peer][node-B12][defect-8]")
{
    auto bytes = message_bytes(1) + std::string(24, '\xff') + message_bytes(2);
    auto child = brood::fork<&say>(bytes);
    auto good = co_await child.message<int>();
    CHECK(good == 1);
    for (int again = 0; again < 2; ++again)
    {
        auto wrong = co_await refusal<int>(child);
        CHECK(wrong.code() == brood::errc::malformed);
    }
    CHECK_FALSE(child.connected());
    CHECK_THROWS_AS(child.send(1), brood::error);
}

TEST_WITHIN(20s, "replies, cancellations and confirmations that nobody expects do no harm",
            "[hostile_peer][defect-9]")
{
    std::string bytes;
    for (auto kind : {frame_kind::reply, frame_kind::failure})
        bytes += frame_bytes({0, kind, 0, 0, 7, 12345}, "xxxx");
    for (auto kind : {frame_kind::cancel, frame_kind::taken, frame_kind::refused})
        bytes += frame_bytes({0, kind, 0, 0, 0, 12345});
    bytes += frame_bytes({0, frame_kind::control, 0, 0, 1, 1}, "forged");
    auto child = brood::fork<&say>(bytes + message_bytes(1));
    auto message = co_await child.message<int>();
    CHECK(message == 1);
    CHECK(child.connected());
}

TEST_WITHIN(20s, "descriptors that no frame announced are closed and refused", "[hostile_peer]")
{
    temporary_directory folder;
    auto path = folder.write("passed", "");
    brood::spawn_options options;
    options.stdin_ = brood::stdio::read(path);
    auto child = brood::fork_with<pass_stdin>(brood::default_executor(), options);
    auto good = co_await child.message<int>();
    CHECK(good == 1);
    auto wrong = co_await refusal<int>(child);
    CHECK(wrong.code() == brood::errc::malformed);
    CHECK_THAT(wrong.what(), ContainsSubstring("descriptors that no frame announced"));
    CHECK_THAT(wrong.what(), ContainsSubstring(std::to_string(child.pid())));
    for (auto& [number, leads] : open_descriptors())
        CHECK(leads != path);
}

TEST_CASE("descriptors that a frame announced and that did not come are refused", "[hostile_peer]")
{
    hears<int>(frame_bytes({0, frame_kind::message, 0, 2, 0, 0}), brood::errc::malformed,
               "announced 2 descriptors and came with 0");
}

TEST_WITHIN(30s, "a child that floods is read only as far as its messages are taken",
            "[hostile_peer]")
{
    auto child = brood::fork<[](brood::process& self) -> task<>
                             {
                                 std::string block(100'000, 'x');
                                 for (;;)
                                 {
                                     auto room = self.send(block);
                                     if (!room)
                                         co_await self.drain();
                                 }
                             }>();
    auto readable = co_await child.readable();
    CHECK(readable);
    auto before = resident_kilobytes();
    co_await brood::sleep(200ms);
    auto after = resident_kilobytes();

    CHECK(after < before + 10'000 + freed_and_kept);
    for (int count = 0; count < 100; ++count)
    {
        auto text = co_await child.message<std::string>();
        CHECK((text && text->size() == 100'000));
    }
    child.kill(SIGKILL);
    co_await child.exit();
}

TEST_WITHIN(30s, "a child that does not read stops its sender, not its parent",
            "[hostile_peer][node-B7][defect-6]")
{
    auto child = brood::fork<&echo>();
    child.kill(SIGSTOP);
    auto before = resident_kilobytes();
    std::string block(1 << 20, 'x');
    int sent = 0;
    for (bool room = true; room; ++sent)
        room = child.send(block);
    CHECK(sent < 10);
    std::error_code refused;
    try
    {
        for (;;)
            child.send(block);
    }
    catch (const brood::error& full)
    {
        refused = full.code();
    }
    CHECK(refused == brood::errc::overflow);
    CHECK(resident_kilobytes() < before + 150'000 + freed_and_kept);
    child.kill(SIGKILL);
    co_await child.exit();
}

TEST_WITHIN(20s, "a child that closes its channel and lives on is told from one that ends",
            "[hostile_peer]")
{
    auto child = brood::fork<&say_and_go>(message_bytes(1));
    auto message = co_await child.message<int>();
    auto end = co_await child.message<int>();
    co_await child.disconnected();
    CHECK(message == 1);
    CHECK_FALSE(end);
    CHECK_FALSE(child.status());
    child.kill(SIGKILL);
    co_await child.exit();
}

TEST_WITHIN(20s, "a program that says something else than hello is refused with its pid",
            "[hostile_peer]")
{
    brood::arguments says("-c", "printf 'HTTP/1.1 200 OK\\r\\n\\r\\n       ' >&3; exec sleep 60");
    auto child = brood::fork("sh", says);
    auto wrong = co_await refusal<int>(child);

    CHECK(wrong.code() == brood::errc::malformed);
    CHECK_THAT(wrong.what(), ContainsSubstring(std::to_string(child.pid())));
    CHECK_THAT(wrong.what(), ContainsSubstring("is it a brood program?"));
    CHECK_FALSE(child.status());
    child.kill(SIGKILL);
    co_await child.exit();
}

TEST_WITHIN(60s,
            "a child's own child that goes on writing is read only as far as the child might write",
            "[hostile_peer]")
{
    auto most = brood::channel_limits().incoming_high_water / message_bytes(2).size() + 1;
    for (int round = 0; round < 10; ++round)
    {
        auto child = brood::fork<&leave_a_writer>();
        auto status = co_await child.exit();
        CHECK(status.success());
        CHECK_FALSE(child.connected());
        std::size_t taken = 0;
        try
        {
            while (child.try_message<int>())
                ++taken;
        }
        catch (const brood::error& wrong)
        {
            CHECK(wrong.code() == brood::errc::malformed);
        }
        CHECK(taken > 5'000);
        CHECK(taken <= most);
    }
}
