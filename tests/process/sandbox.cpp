// SPDX-License-Identifier: BSL-1.0
#include <brood/process/sandbox.hpp>

#include <brood/base/buffer.hpp>
#include <brood/codec/archive.hpp>
#include <brood/process/fork.hpp>
#include <brood/process/process.hpp>
#include <brood/wire/shared_bytes.hpp>

#include "process/limited_child.hpp"
#include "support/catch.hpp"
#include "support/within.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using brood::broken_limit;
using brood::process;
using brood::sandbox;
using brood::task;
using brood::worker_limits;
using brood::test::in_child;
using brood::test::refusing;
using brood::test::under;

// Looking for leaks begins with ptrace(2).
extern "C" const char* __asan_default_options()
{
    return "detect_leaks=0";
}

namespace
{

worker_limits computing()
{
    worker_limits limits;
    limits.filter = sandbox::compute();
    return limits;
}

// "" when a call fails with this error.
std::string unless(int error_number, const char* name, long result)
{
    if (result == -1 && errno == error_number)
        return "";
    return std::string(name) + ": " + (result == -1 ? ::strerror(errno) : "done") + ". ";
}

using block = brood::carrying<int, brood::shared_bytes>;

struct square
{
    int number = 0;

    template <class Archive>
    void serialize(Archive& archive)
    {
        archive(number);
    }
};

task<> compute_squares(process& self, worker_limits limits)
{
    limits.enter();
    auto by = [](square of) -> task<int>
    {
        if (of.number < 0)
            std::filesystem::directory_iterator("/");
        co_return of.number* of.number;
    };
    co_await self.serve(by);
}

task<> reverse_bytes(process& self, worker_limits limits)
{
    limits.enter();
    while (auto taken = co_await self.message<block>())
    {
        auto seen = taken->object().bytes();
        std::vector<std::byte> reversed(seen.rbegin(), seen.rend());
        self.send(taken->message, brood::shared_bytes::copy_of(reversed));
    }
}

} // namespace

TEST_CASE("a program that computes does so as before", "[sandbox]")
{
    int pair[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    auto computes = [&]() -> std::string
    {
        std::vector<int> numbers(1 << 20, 1);
        std::string said;
        std::thread([&] { said = std::to_string(numbers.size()); }).join();
        try
        {
            throw std::runtime_error(" and an exception");
        }
        catch (const std::exception& thrown)
        {
            said += thrown.what();
        }
        brood::descriptor memory(brood::check(::memfd_create("scratch", MFD_CLOEXEC), "memfd"));
        brood::check(::ftruncate(memory.get(), 4096), "ftruncate");
        struct stat facts = {};
        brood::check(::fstat(memory.get(), &facts), "fstat");
        auto* mapped = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, memory.get(), 0);
        brood::check(mapped, "mmap");
        brood::check(::munmap(mapped, 4096), "munmap");
        brood::descriptor event(brood::check(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
        brood::descriptor queue(brood::check(::epoll_create1(EPOLL_CLOEXEC), "epoll"));
        epoll_event watched{};
        brood::check(::epoll_ctl(queue.get(), EPOLL_CTL_ADD, event.get(), &watched), "epoll_ctl");
        brood::check(::epoll_wait(queue.get(), &watched, 1, 0), "epoll_wait");
        int none = 0;
        brood::check(::ioctl(pair[0], FIONBIO, &none), "ioctl");
        brood::check(::send(pair[0], "x", 1, MSG_NOSIGNAL), "send");
        brood::check(::recv(pair[1], said.data(), 0, 0), "recv");
        brood::check(::raise(SIGCHLD), "raise");
        std::this_thread::sleep_for(1ms);
        return said;
    };
    auto child = under(computing(), computes);
    CHECK(child.said == "1048576 and an exception");
    CHECK(child.ended.success());

    auto aborts = []() -> std::string
    {
        ::abort();
    };
    CHECK(under(computing(), aborts).ended.signal == SIGABRT);
    ::close(pair[0]);
    ::close(pair[1]);
}

TEST_CASE("what reaches for files, sockets, programs and processes fails with EPERM", "[sandbox]")
{
    auto reaches = []() -> std::string
    {
        const char* arguments[] = {"/bin/true", nullptr};
        auto* plain = const_cast<char* const*>(arguments);
        sockaddr address{};
        struct stat facts = {};
        return unless(EPERM, "open", ::open("/etc/passwd", O_RDONLY)) +
               unless(EPERM, "create", ::open("/tmp/made", O_CREAT | O_WRONLY, 0600)) +
               unless(EPERM, "stat", ::stat("/etc/passwd", &facts)) +
               unless(EPERM, "access", ::access("/etc/passwd", R_OK)) +
               unless(EPERM, "unlink", ::unlink("/tmp/made")) +
               unless(EPERM, "mkdir", ::mkdir("/tmp/made", 0700)) +
               unless(EPERM, "chdir", ::chdir("/")) +
               unless(EPERM, "opendir", ::opendir("/") == nullptr ? -1 : 0) +
               unless(EPERM, "socket", ::socket(AF_INET, SOCK_STREAM, 0)) +
               unless(EPERM, "local socket", ::socket(AF_UNIX, SOCK_STREAM, 0)) +
               unless(EPERM, "connect", ::connect(0, &address, sizeof(address))) +
               unless(EPERM, "bind", ::bind(0, &address, sizeof(address))) +
               unless(EPERM, "execve", ::execve(arguments[0], plain, plain + 1)) +
               unless(EPERM, "fork", ::fork()) + unless(EPERM, "kill", ::kill(::getppid(), 0)) +
               unless(EPERM, "prlimit", ::prlimit(::getppid(), RLIMIT_CPU, nullptr, nullptr)) +
               unless(EPERM, "F_SETOWN", ::fcntl(0, F_SETOWN, ::getppid())) +
               unless(EPERM, "TIOCSTI", ::ioctl(0, TIOCSTI, "x")) +
               unless(EPERM, "PR_SET_PDEATHSIG", ::prctl(PR_SET_PDEATHSIG, SIGKILL));
    };
    CHECK(under(computing(), reaches).said.empty());

    auto throws = []() -> std::string
    {
        std::filesystem::directory_iterator("/");
        return "listed";
    };
    CHECK(under(computing(), throws).said == "stopped by its limit of system calls");
}

TEST_CASE("what the filter does not know is as on an older kernel", "[sandbox]")
{
    auto unknown = []() -> std::string
    {
        constexpr long io_uring_setup = 425, clone3 = 435;
        return unless(ENOSYS, "io_uring_setup", ::syscall(io_uring_setup, 1, nullptr)) +
               unless(ENOSYS, "clone3", ::syscall(clone3, nullptr, 0)) +
               unless(ENOSYS, "a call of the future", ::syscall(100'000));
    };
    CHECK(under(computing(), unknown).said.empty());
}

TEST_CASE("what only an attacker calls ends the process, and is told", "[sandbox]")
{
    auto ends = [](const std::function<long()>& call)
    {
        auto limits = computing();
        auto child = under(limits, [&] { return std::to_string(call()); });
        CHECK(child.said.empty());
        CHECK(child.ended.signal == SIGSYS);
        CHECK(broken_limit(limits, child.ended) == "ended by its limit of system calls");
    };
    ends([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); });
    ends([] { return ::syscall(SYS_bpf, 0, nullptr, 0); });
    ends([] { return ::syscall(SYS_finit_module, -1, "", 0); });
    ends([] { return ::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0); });
    ends([] { return ::unshare(CLONE_NEWUSER); });
    ends([] { return ::mount("none", "/", nullptr, MS_BIND, nullptr); });
}

#ifdef __x86_64__
TEST_CASE("the system calls of other architectures are no way round", "[sandbox]")
{
    auto limits = computing();
    auto as_32_bit = []() -> std::string
    {
        long result = 20; // getpid of i386
        asm volatile("int $0x80" : "+a"(result)::"memory");
        return std::to_string(result);
    };
    CHECK(under(limits, as_32_bit).ended.signal == SIGSYS);

    auto as_x32 = []() -> std::string
    {
        return unless(ENOSYS, "x32", ::syscall(0x40000000 + SYS_getpid));
    };
    CHECK(under(limits, as_x32).said.empty());
}
#endif

TEST_CASE("a filter of one's own is applied as it is", "[sandbox]")
{
    worker_limits limits;
    limits.filter = refusing({SYS_getppid}, EPERM);
    auto calls = []() -> std::string
    {
        brood::descriptor file(brood::check(::open("/dev/null", O_RDONLY), "open"));
        return unless(EPERM, "getppid", ::syscall(SYS_getppid)) + "opened";
    };
    CHECK(under(limits, calls).said == "opened");

    limits.filter = sandbox::program({{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0}});
    CHECK_THAT(under(limits, calls).said,
               Catch::Matchers::ContainsSubstring("enter limit filter: Invalid argument"));
}

TEST_WITHIN(20s, "a worker computes behind its filter, and ends well", "[sandbox]")
{
    auto limits = computing();
    limits.open_files = 64;
    auto child = brood::fork<compute_squares>(limits);

    square seven{7}, negative{-1};
    auto result = co_await child.call<int>(seven);
    CHECK(result == 49);
    std::string refused;
    try
    {
        co_await child.call<int>(negative);
    }
    catch (const std::exception& thrown)
    {
        refused = thrown.what();
    }
    CHECK_THAT(refused, Catch::Matchers::ContainsSubstring("Operation not permitted"));

    child.disconnect();
    auto ended = co_await child.exit();
    CHECK(to_string(ended) == "process " + std::to_string(child.pid()) + " ended with code 0");
}

TEST_WITHIN(20s, "a worker behind its filter takes and makes shared memory", "[sandbox]")
{
    auto child = brood::fork<reverse_bytes>(computing());
    std::array<std::byte, 3> bytes{std::byte{1}, std::byte{2}, std::byte{3}};

    child.send(7, brood::shared_bytes::copy_of(bytes));
    auto reversed = co_await child.message<block>();

    REQUIRE(reversed.has_value());
    CHECK(reversed->object().bytes()[0] == std::byte{3});
    child.disconnect();
    auto ended = co_await child.exit();
    CHECK(ended.success());
}

TEST_CASE("limits and filters cross as they are", "[sandbox]")
{
    auto limits = computing();
    CHECK(limits.filter->computes());
    limits.memory = 5;
    limits.processor_time = 3s;
    limits.uid = 65534;
    limits.best_effort = true;
    limits.filter = refusing({1, 2}, ENOSYS);
    CHECK(limits.filter->instructions().size() == 6);

    auto copy_of = [](const worker_limits& value)
    {
        brood::buffer bytes;
        brood::encode(bytes, value);
        return brood::decode<worker_limits>(bytes.data());
    };
    CHECK(copy_of(limits) == limits);
    CHECK(copy_of(computing()) == computing());
    CHECK(copy_of({}) == worker_limits());
}
