// SPDX-License-Identifier: BSL-1.0
#include <brood/process/worker_limits.hpp>

#include "process/limited_child.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>

#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using brood::broken_limit;
using brood::worker_limits;
using brood::test::become_nobody;
using brood::test::in_child;
using brood::test::temporary_directory;
using brood::test::under;
using brood::test::without;
using Catch::Matchers::ContainsSubstring;
namespace files = std::filesystem;

namespace
{

constexpr long landlock_create_ruleset = 444, change_mounts = 442;

// The error of a call that failed, "done" for one that did not.
std::string outcome(long result)
{
    return result == -1 ? ::strerror(errno) : "done";
}

void create(const std::string& path)
{
    brood::descriptor made(
        brood::check(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600), "open", path));
}

std::string spin()
{
    for (std::atomic<int> turns = 0;; ++turns)
        ;
}

std::string write_far(int file)
{
    char byte = 'x';
    brood::check(::pwrite(file, &byte, 1, 1 << 20), "write", "far");
    return "written";
}

sockaddr_in loopback()
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// A server of TCP in this process, and a connection to it.
struct tcp_server
{
    brood::descriptor listening{::socket(AF_INET, SOCK_STREAM, 0)};
    sockaddr_in address = loopback();

    tcp_server()
    {
        socklen_t size = sizeof(address);
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(::bind(listening.get(), plain, size) == 0);
        REQUIRE(::listen(listening.get(), 8) == 0);
        ::getsockname(listening.get(), plain, &size);
    }

    brood::descriptor connect() const
    {
        brood::descriptor made(brood::check(::socket(AF_INET, SOCK_STREAM, 0), "socket"));
        brood::check(
            ::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
            "connect");
        return made;
    }
};

} // namespace

TEST_CASE("each default is no limit, but for the privileges", "[limits]")
{
    worker_limits limits;
    CHECK(limits.resources().empty());
    CHECK(limits.missing().empty());

    auto child = under(limits,
                       []
                       {
                           create("/tmp/brood-default-limits");
                           files::remove("/tmp/brood-default-limits");
                           return "all of it";
                       });
    CHECK(child.said == "all of it");
}

TEST_CASE("memory beyond the limit is refused, and told", "[limits]")
{
    if (brood::test::sanitized) // it takes all addresses that there are
        return;
    worker_limits limits;
    limits.memory = 512 << 20;

    auto child = under(limits,
                       []
                       {
                           std::vector<char> small(1 << 20);
                           std::vector<char> large(std::size_t{1} << 30);
                           return std::to_string(small.size() + large.size());
                       });
    CHECK(child.said == "stopped by its limit of memory (512 MiB)");

    limits.memory = 4096;
    child = under(limits, [] { return "entered"; });
    CHECK_THAT(child.said, ContainsSubstring("enter limit memory: it is 4 KiB, and the process "
                                             "has more already"));
}

TEST_CASE("processor time beyond the limit ends a process, also one that ignores it", "[limits]")
{
    worker_limits limits;
    limits.processor_time = 1s;

    auto child = under(limits, &spin);
    CHECK(child.ended.signal == SIGXCPU);
    CHECK(broken_limit(limits, child.ended) == "ended by its limit of processor time (1 s)");

    auto ignores = []
    {
        std::signal(SIGXCPU, SIG_IGN);
        return spin();
    };
    child = under(limits, ignores);
    CHECK(child.ended.signal == SIGKILL);
    CHECK(broken_limit(limits, child.ended) == "ended by its limit of processor time (1 s)");
}

TEST_CASE("a descriptor beyond the limit is refused, and told", "[limits]")
{
    worker_limits limits;
    limits.open_files = 16;

    auto child = under(limits,
                       []
                       {
                           std::vector<brood::descriptor> opened;
                           while (opened.size() < 16)
                               opened.push_back(brood::descriptor::duplicate_of(0));
                           return "sixteen more";
                       });
    CHECK(child.said == "stopped by its limit of open files (16)");
}

TEST_CASE("a process or thread beyond the limit is refused, and told", "[limits]")
{
    worker_limits limits;
    limits.processes = 1;
    limits.uid = limits.gid = 65534;

    auto in_nobody = [&](const std::function<std::string()>& body)
    {
        auto nobody = [&]() -> std::string
        {
            become_nobody();
            return under(limits, body).said;
        };
        return in_child(nobody).said;
    };
    if (::geteuid() != 0)
        limits.uid = limits.gid = std::nullopt;
    CHECK(in_nobody([] { return outcome(::fork()); }) == "Resource temporarily unavailable");
    auto thread = []
    {
        std::thread([] {}).join();
        return "a thread";
    };
    CHECK(in_nobody(thread) == "stopped by its limit of processes (1)");
}

TEST_CASE("a limit of processes does not bind root, and is refused", "[limits]")
{
    worker_limits limits;
    limits.processes = 1;
    limits.uid = 0;

    auto missing = limits.missing();
    REQUIRE(!missing.empty());
    CHECK(missing.back() == "processes: root is exempt from it; name another user by uid");
    CHECK_THROWS_WITH(limits.check(),
                      ContainsSubstring(::geteuid() == 0 ? "limit processes: " : "limit uid: "));
    if (::geteuid() == 0)
    {
        limits.uid = 65534;
        CHECK_NOTHROW(limits.check());
    }
}

TEST_CASE("a file beyond the limit ends a process, or is told where that is ignored", "[limits]")
{
    temporary_directory folder;
    create(folder / "large");
    brood::descriptor file(::open((folder / "large").c_str(), O_WRONLY | O_CLOEXEC));
    worker_limits limits;
    limits.file_size = 1000;

    auto child = under(limits, [&] { return write_far(file.get()); });
    CHECK(child.ended.signal == SIGXFSZ);
    CHECK(broken_limit(limits, child.ended) ==
          "ended by its limit of the size of files (1000 bytes)");

    auto ignores = [&]
    {
        std::signal(SIGXFSZ, SIG_IGN);
        return write_far(file.get());
    };
    CHECK(under(limits, ignores).said == "stopped by its limit of the size of files (1000 bytes)");
}

TEST_CASE("the limits of resources are those of spawn_options, and not above the hard ones",
          "[limits]")
{
    rlimit files_now{};
    ::getrlimit(RLIMIT_NOFILE, &files_now);
    worker_limits limits;
    limits.memory = 1 << 30;
    limits.processor_time = 2s;
    limits.open_files = 4'000'000'000;
    limits.processes = 7;
    limits.file_size = 9;

    auto all = limits.resources();

    CHECK(all.size() == 5);
    CHECK(all.at(RLIMIT_AS).rlim_cur == 1 << 30);
    CHECK(all.at(RLIMIT_CPU).rlim_cur == 2);
    CHECK(all.at(RLIMIT_CPU).rlim_max == 3);
    CHECK(all.at(RLIMIT_NOFILE).rlim_max == files_now.rlim_max);
    CHECK(all.at(RLIMIT_NOFILE).rlim_cur == files_now.rlim_max);
    CHECK(all.at(RLIMIT_NPROC).rlim_cur == 7);
    CHECK(all.at(RLIMIT_FSIZE).rlim_max == 9);
}

TEST_CASE("privileges are given up for ever", "[limits]")
{
    auto child = under({},
                       []
                       {
                           std::ifstream status("/proc/self/status");
                           std::string text, line;
                           while (std::getline(status, line))
                               if (line.starts_with("CapPrm") || line.starts_with("CapEff") ||
                                   line.starts_with("NoNewPrivs"))
                                   text += line.substr(line.find('\t') + 1) + ' ';
                           return text;
                       });
    CHECK(child.said == "0000000000000000 0000000000000000 1 ");

    auto could_come_back = []
    {
        return std::string(::prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 0 ? "none" : "some");
    };
    if (::geteuid() == 0)
        CHECK(under({}, could_come_back).said == "none");

    worker_limits limits;
    limits.open_files = 20;
    auto may_not = under(limits,
                         []
                         {
                             rlimit more{30, 30};
                             return outcome(::setrlimit(RLIMIT_NOFILE, &more));
                         });
    CHECK(may_not.said == "Operation not permitted");
}

TEST_CASE("without a network nothing is reached but what a process holds", "[limits]")
{
    tcp_server server;
    worker_limits limits;
    limits.no_network = true;
    auto everything = [&]() -> std::string
    {
        auto held = server.connect();
        auto inside = [&]() -> std::string
        {
            char byte = 'x';
            brood::check(::send(held.get(), &byte, 1, 0), "send on a socket that it held");
            brood::descriptor local(
                brood::check(::socket(AF_UNIX, SOCK_STREAM, 0), "local socket"));
            server.connect();
            return "connected";
        };
        return under(limits, inside).said;
    };
    auto told = "stopped by its limit of the network, of which it has none";

    CHECK(everything() == told);

    auto as_nobody = [&]
    {
        become_nobody();
        return everything();
    };
    CHECK(in_child(as_nobody).said == told);

    auto without_namespaces = [&]
    {
        without({SYS_unshare});
        return everything();
    };
    CHECK(in_child(without_namespaces).said == told);
}

TEST_CASE("a read-only view shows files, and changes none", "[limits]")
{
    temporary_directory folder;
    auto there = folder / "there", held_name = folder / "held";
    ::chmod(folder.path().c_str(), 0777);
    std::ofstream(there) << "text";
    ::chmod(there.c_str(), 0666);
    brood::descriptor held(::open(held_name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    worker_limits limits;
    limits.read_only_files = true;

    auto tries = [&]() -> std::string
    {
        std::string read;
        std::ifstream(there) >> read;
        create("/dev/null");
        brood::check(::write(held.get(), "more", 4), "write what it holds");
        for (auto result :
             {::open(there.c_str(), O_WRONLY), ::unlink(there.c_str()),
              ::truncate(there.c_str(), 0), ::mkdir((folder / "folder").c_str(), 0700),
              ::rename(there.c_str(), (folder / "moved").c_str())})
            read += result == -1 ? " no" : " yes";
        try
        {
            create(folder / "new");
            return read + " created";
        }
        catch (const std::system_error& thrown)
        {
            auto told = broken_limit(limits, std::current_exception());
            return read + ' ' + told.value_or(thrown.code().message());
        }
    };
    auto told = "text no no no no no stopped by its limit of files, which it may only read";

    CHECK(under(limits, tries).said == told);

    auto as_nobody = [&]
    {
        become_nobody();
        return under(limits, tries).said;
    };
    CHECK(in_child(as_nobody).said == told);

    auto mounts_alone = [&]
    {
        become_nobody(); // who has namespaces of users all the same
        without({landlock_create_ruleset}, ENOSYS);
        return under(limits, tries).said;
    };
    CHECK(in_child(mounts_alone).said == told);

    auto landlock_alone = [&]
    {
        without({SYS_unshare});
        return under(limits, tries).said;
    };
    CHECK(in_child(landlock_alone).said == "text no no no no no Permission denied");
    CHECK(files::file_size(held_name) == 16);
}

TEST_CASE("a read-only view cannot be taken back", "[limits]")
{
    temporary_directory folder;
    ::chmod(folder.path().c_str(), 0777);
    worker_limits limits;
    limits.read_only_files = true;
    auto tries = [&]
    {
        auto mounted = ::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND, nullptr);
        ::unshare(CLONE_NEWUSER | CLONE_NEWNS);
        mounted &= ::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND, nullptr);
        if (mounted != -1)
            return std::string("mounted");
        create(folder / "new");
        return std::string("created");
    };
    auto told = "stopped by its limit of files, which it may only read";

    CHECK(under(limits, tries).said == told);
    auto mounts_alone = [&]
    {
        become_nobody(); // who has namespaces of users all the same
        without({landlock_create_ruleset}, ENOSYS);
        return under(limits, tries).said;
    };
    CHECK(in_child(mounts_alone).said == told);
}

TEST_CASE("network and files are limited together, and the process is who it was", "[limits]")
{
    worker_limits limits;
    limits.no_network = true;
    limits.read_only_files = true;
    auto as_nobody = [&]
    {
        become_nobody();
        auto before = std::to_string(::getuid()) + ' ' + std::to_string(::getgid());
        auto who = []
        {
            return std::to_string(::getuid()) + ' ' + std::to_string(::getgid());
        };
        return under(limits, who).said == before ? "the same" : "another";
    };
    CHECK(in_child(as_nobody).said == "the same");
}

TEST_CASE("what this kernel lacks is refused by name, or left out when that is allowed", "[limits]")
{
    worker_limits limits;
    limits.no_network = true;
    limits.read_only_files = true;
    limits.filter = brood::sandbox::compute();
    limits.open_files = 20;
    auto on_old_kernel = [](const std::function<std::string()>& body)
    {
        auto old = [&]
        {
            without({SYS_unshare, SYS_clone, SYS_seccomp, landlock_create_ruleset, change_mounts},
                    ENOSYS);
            return body();
        };
        return in_child(old).said;
    };

    auto lacks = [&]
    {
        std::string names;
        for (auto& each : limits.missing())
            names += each.substr(0, each.find(':')) + ' ';
        return names;
    };
    CHECK(on_old_kernel(lacks) == "no_network read_only_files filter ");

    auto check = [&]
    {
        limits.check();
        return std::string("checked");
    };
    CHECK(check() == "checked");
    CHECK_THAT(on_old_kernel(check), ContainsSubstring("limit no_network: this kernel allows"));
    limits.no_network = false;
    CHECK_THAT(on_old_kernel(check),
               ContainsSubstring("limit read_only_files: this kernel allows"));
    limits.read_only_files = false;
    CHECK_THAT(on_old_kernel(check), ContainsSubstring("limit filter: this kernel has no filters"));

    limits.no_network = limits.read_only_files = limits.best_effort = true;
    auto enter = [&]
    {
        auto left_out = limits.enter();
        rlimit now{};
        ::getrlimit(RLIMIT_NOFILE, &now);
        return std::to_string(left_out.size()) + ' ' + std::to_string(now.rlim_max);
    };
    CHECK(on_old_kernel(enter) == "3 20");
}

TEST_CASE("who is not privileged becomes nobody else, and is told", "[limits]")
{
    worker_limits limits;
    limits.uid = 54'321;
    limits.gid = 54'322;
    auto ids = [&]
    {
        limits.enter();
        return std::to_string(::getuid()) + ' ' + std::to_string(::geteuid()) + ' ' +
               std::to_string(::getegid()) + ' ' + std::to_string(::getgroups(0, nullptr));
    };
    auto with_groups = [&]
    {
        const gid_t some[] = {1, 2};
        ::setgroups(2, some);
        return ids();
    };
    if (::geteuid() == 0)
        CHECK(in_child(with_groups).said == "54321 54321 54322 0");

    auto from_nobody = [&]
    {
        become_nobody();
        return ids();
    };
    CHECK_THAT(in_child(from_nobody).said, ContainsSubstring("limit uid: to become another user"));
    limits.uid.reset();
    CHECK_THAT(in_child(from_nobody).said, ContainsSubstring("limit gid: to join another group"));
}

TEST_CASE("a process with several threads cannot enter what binds one thread", "[limits]")
{
    auto with_a_thread = [](worker_limits limits)
    {
        auto enter = [&]() -> std::string
        {
            std::atomic<bool> ends = false;
            std::thread other([&] { ends.wait(false); });
            std::string said = "entered";
            try
            {
                limits.enter();
            }
            catch (const std::system_error& thrown)
            {
                said = thrown.code() == std::errc::device_or_resource_busy ? "busy" : thrown.what();
            }
            ends = true;
            ends.notify_all();
            other.join();
            return said;
        };
        return in_child(enter).said;
    };
    worker_limits limits;
    limits.open_files = 20;
    CHECK(with_a_thread(limits) == "busy");
    limits.no_new_privileges = false;
    CHECK(with_a_thread(limits) == "entered");
}

TEST_CASE("limits that make no sense are refused", "[limits]")
{
    auto refused = [](auto&& change)
    {
        worker_limits limits;
        change(limits);
        CHECK_THROWS_AS(limits.check(), std::invalid_argument);
        CHECK_THROWS_AS(limits.enter(), std::invalid_argument);
    };
    refused([](worker_limits& limits) { limits.memory = 0; });
    refused([](worker_limits& limits) { limits.processor_time = 0s; });
    refused([](worker_limits& limits) { limits.filter = brood::sandbox::program({}); });
    refused(
        [](worker_limits& limits)
        {
            limits.filter = brood::sandbox::program(
                std::vector<brood::sandbox::instruction>(4097, {BPF_RET | BPF_K, 0, 0, 0}));
        });
}

TEST_CASE("an end or an error that no limit has to do with is not told as one", "[limits]")
{
    worker_limits limits;
    brood::exit_status ended;
    for (int signal : {0, SIGXCPU, SIGXFSZ, SIGSYS, SIGKILL, SIGSEGV})
    {
        ended.signal = signal;
        CHECK(!broken_limit(limits, ended));
    }
    limits.processor_time = 2s;
    ended.signal = SIGKILL;
    ended.user_time = 1999ms;
    CHECK(!broken_limit(limits, ended));

    auto thrown = std::make_exception_ptr(std::system_error(EMFILE, std::system_category()));
    CHECK(!broken_limit(limits, thrown));
    CHECK(!broken_limit(limits, std::make_exception_ptr(std::bad_alloc())));
    CHECK(!broken_limit(limits, std::exception_ptr()));
    limits.open_files = 3;
    CHECK(broken_limit(limits, thrown) == "stopped by its limit of open files (3)");
    CHECK(!broken_limit(limits, std::make_exception_ptr(brood::error(brood::errc::closed, "x"))));
    CHECK(!broken_limit(limits, std::make_exception_ptr(7)));
}
